//! Words for what became of events. In: outcomes and reasons as they are counted. Out: what happened, and what to do.

/// An outcome as people call it, and whether the event is lost with it.
pub fn outcome(name: &str) -> &str {
    match name {
        "accepted" => "accepted",
        "duplicate" => "sent twice",
        "filtered" => "filtered",
        "sampled" => "sampled",
        "rate_limited" => "rate limited",
        "invalid" => "refused",
        "not_kept" => "not kept",
        "client_discard" => "discarded by SDKs",
        "dead" => "set aside",
        other => other,
    }
}

/// What a reason means, and what to do about it; empty where nothing needs to be done.
pub fn explain(reason: &str) -> (&str, &'static str) {
    match reason {
        "unknown_key" => (
            "The key is of no project",
            "The application has an old or mistyped DSN. Compare the key in its configuration with those of the project. If somebody makes keys up, nothing needs to be done: they cost no query and are never stored.",
        ),
        "disabled_key" => (
            "The key is disabled",
            "Some application still has this key. Give it the DSN of an active key, or enable this one again.",
        ),
        "wrong_project" => (
            "The key belongs to another project",
            "The number at the end of the DSN and its key do not fit together. Copy the whole DSN from the project's keys; do not change the number by hand. Behind a tunnel, the tunnel must pass on the DSN of the envelope.",
        ),
        "missing_key" => (
            "No key was sent",
            "The SDK has no DSN, or a proxy removes the X-Sentry-Auth header or the query string. Let the proxy pass both on.",
        ),
        "two_keys" => (
            "Two different keys were sent",
            "A proxy or tunnel adds a key of its own to the one of the SDK. Remove one of them.",
        ),
        "malformed" => (
            "The request could not be read",
            "Usually a proxy that changes or cuts bodies, or a sender that is no SDK. The detail says where reading failed; update the SDK if it is old.",
        ),
        "encoding" => (
            "The body is not compressed as it claims",
            "A proxy unpacks bodies but leaves Content-Encoding as it is, or the other way round. Let it pass requests on unchanged.",
        ),
        "too_large" => (
            "The request was too large",
            "An event may have 1 MiB and a request 32 MiB. Send less with it: long texts, large local variables, whole request bodies.",
        ),
        "too_slow" => (
            "The body did not arrive in time",
            "The connection is slow or breaks off: a body has 60 seconds. Look at the network and the proxy between.",
        ),
        "overload" => (
            "Too many large requests at once",
            "All bodies together are larger than the memory set aside for them. Send smaller events, or add a node that receives.",
        ),
        "journal_full" => (
            "The journal was full",
            "The node could not store events any more: its disk is full, or the database was away for so long that BUGLE_JOURNAL_LIMIT was reached. See /health/ready on that node.",
        ),
        "journal" => (
            "The journal could not be written",
            "The node's disk does not take writes. Look at its log and its disk.",
        ),
        "ip-address" => (
            "The sender's address is filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "release-version" => (
            "The release is filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "invalid-csp" => (
            "The security report tells of nothing of yours",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "health-checks" => (
            "A health check's error is filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "web-crawlers" => (
            "Robots are filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "legacy-browsers" => (
            "Old browsers are filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "localhost" => (
            "Development machines are filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "browser-extensions" => (
            "Errors of browser extensions are filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "chunk-load" => (
            "Chunks that did not load are filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "hydration" => (
            "Hydration errors are filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "error-message" => (
            "The message is filtered",
            "The project's inbound filters leave it out. Change them in the settings of the project.",
        ),
        "key_minute" => (
            "The key's limit a minute was reached",
            "Raise the key's limit if this much is expected; otherwise find out what sends so much.",
        ),
        "key_month" => (
            "The key's limit a month was reached",
            "Nothing more is taken with this key until the month ends. Raise its limit to go on at once.",
        ),
        "project_minute" => (
            "The project's limit a minute was reached",
            "Raise the project's limit, or give its noisiest key a limit of its own, so that the others get through.",
        ),
        "project_month" => (
            "The project's limit a month was reached",
            "Nothing more is taken for this project until the month ends. Raise its limit to go on at once.",
        ),
        "org_minute" => (
            "The organization's limit a minute was reached",
            "Raise the organization's limit, or limit the noisiest project, so that the others get through.",
        ),
        "org_month" => (
            "The organization's limit a month was reached",
            "Nothing more is taken for any project until the month ends. Raise the organization's limit to go on at once.",
        ),
        other => (what(other), ""),
    }
}

/// Reasons that are counted and not refused.
fn what(reason: &str) -> &str {
    match reason {
        "not_json" => "Not JSON",
        "not_an_object" => "Not an event",
        "no_message" => "Feedback without a message",
        "no_release" => "A session without a release",
        "no_session_id" => "A session without an id",
        "too_old" => "A session of more than five days ago",
        "no_event" => "An attachment of no event",
        "rate_limit" => "Its event came over a limit",
        "processing" => "Processing failed",
        "spike" | "spike_sample" => "Left out of a flood",
        "sample_rate" => "Sampled by the SDK",
        "before_send" => "Dropped by the application's own filter",
        "event_processor" => "Dropped by an event processor",
        "ratelimit_backoff" => "Held back because of a limit",
        "network_error" => "Could not be sent",
        "send_error" => "Refused by a server",
        "queue_overflow" | "cache_overflow" | "buffer_overflow" => "The SDK's queue was full",
        "backpressure" => "The application was too busy",
        "internal_sdk_error" => "The SDK failed",
        "other" => "Other",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ingest` refuses with.
    const REFUSALS: &[&str] = &[
        "missing_key",
        "two_keys",
        "unknown_key",
        "disabled_key",
        "wrong_project",
        "malformed",
        "encoding",
        "too_large",
        "too_slow",
        "overload",
        "journal_full",
        "journal",
        "key_minute",
        "key_month",
        "project_minute",
        "project_month",
        "org_minute",
        "org_month",
    ];

    #[test]
    fn every_refusal_says_what_to_do() {
        for reason in REFUSALS {
            let (title, advice) = explain(reason);
            assert!(title != *reason && advice.len() > 40, "{reason}");
        }
        assert_eq!(explain("something_new"), ("something_new", ""));
    }
}
