//! The tables, as diesel sees them on every backend. Column types are the largest common set:
//! ids and times are `i64`, enumerations `i32`, JSON text, keys and payloads bytes.

diesel::table! {
    users (id) {
        id -> BigInt,
        email -> Text,
        name -> Text,
        password_hash -> Text,
        is_superuser -> Bool,
        is_active -> Bool,
        created_at -> BigInt,
    }
}

diesel::table! {
    organizations (id) {
        id -> BigInt,
        slug -> Text,
        name -> Text,
        created_at -> BigInt,
        minute_limit -> Nullable<BigInt>,
        month_limit -> Nullable<BigInt>,
    }
}

diesel::table! {
    memberships (organization_id, user_id) {
        organization_id -> BigInt,
        user_id -> BigInt,
        role -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    projects (id) {
        id -> BigInt,
        organization_id -> BigInt,
        slug -> Text,
        name -> Text,
        platform -> Text,
        short_prefix -> Text,
        next_short_number -> BigInt,
        first_event_at -> Nullable<BigInt>,
        created_at -> BigInt,
        retention_events -> Nullable<BigInt>,
        retention_bytes -> Nullable<BigInt>,
        issue_minute -> BigInt,
        issue_minute_count -> BigInt,
        grouping_version -> Integer,
        minute_limit -> Nullable<BigInt>,
        month_limit -> Nullable<BigInt>,
        resolve_age -> Nullable<BigInt>,
    }
}

diesel::table! {
    project_keys (id) {
        id -> BigInt,
        project_id -> BigInt,
        public_key -> Text,
        label -> Text,
        is_active -> Bool,
        created_at -> BigInt,
        minute_limit -> Nullable<BigInt>,
        month_limit -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (token_hash) {
        token_hash -> Binary,
        user_id -> BigInt,
        csrf_token -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        user_id -> Nullable<BigInt>,
        organization_id -> Nullable<BigInt>,
        name -> Text,
        token_hash -> Binary,
        last_four -> Text,
        scopes -> Text,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    environments (id) {
        id -> BigInt,
        project_id -> BigInt,
        name -> Text,
    }
}

diesel::table! {
    releases (id) {
        id -> BigInt,
        project_id -> BigInt,
        version -> Text,
        first_seen -> BigInt,
        last_seen -> BigInt,
    }
}

diesel::table! {
    issues (id) {
        id -> BigInt,
        organization_id -> BigInt,
        project_id -> BigInt,
        short_number -> BigInt,
        kind -> Text,
        level -> Integer,
        platform -> Text,
        title -> Text,
        title_type -> Text,
        title_value -> Text,
        culprit -> Text,
        location -> Text,
        logger -> Nullable<Text>,
        status -> Integer,
        substatus -> Integer,
        status_changed_at -> BigInt,
        resolved_at -> Nullable<BigInt>,
        first_seen -> BigInt,
        last_seen -> BigInt,
        times_seen -> BigInt,
        users_seen -> BigInt,
        first_release -> Nullable<Text>,
        last_release -> Nullable<Text>,
        is_unhandled -> Bool,
        regressions -> Integer,
        stored_events -> BigInt,
        stored_bytes -> BigInt,
        sampled_events -> BigInt,
        sampled_at -> BigInt,
        flood_minute -> BigInt,
        flood_events -> BigInt,
        regressed_release -> Nullable<Text>,
    }
}

diesel::table! {
    issue_details (issue_id) {
        issue_id -> BigInt,
        set_at -> BigInt,
        in_release -> Nullable<Text>,
        in_next_release -> Bool,
        release_at -> Nullable<BigInt>,
        ignore_until -> Nullable<BigInt>,
        ignore_count -> Nullable<BigInt>,
        ignore_window -> Nullable<BigInt>,
        ignore_user_count -> Nullable<BigInt>,
        ignore_user_window -> Nullable<BigInt>,
        events_before -> BigInt,
        users_before -> BigInt,
        recent_events -> Text,
        recent_users -> Text,
    }
}

diesel::table! {
    issue_hashes (project_id, hash) {
        project_id -> BigInt,
        hash -> Binary,
        issue_id -> BigInt,
    }
}

diesel::table! {
    events (id) {
        id -> BigInt,
        project_id -> BigInt,
        issue_id -> BigInt,
        event_id -> Binary,
        timestamp -> BigInt,
        data -> Binary,
        hash -> Nullable<Binary>,
    }
}

diesel::table! {
    issue_hours (issue_id, hour, environment_id) {
        issue_id -> BigInt,
        hour -> BigInt,
        environment_id -> BigInt,
        events -> BigInt,
    }
}

diesel::table! {
    issue_days (issue_id, day, environment_id) {
        issue_id -> BigInt,
        day -> BigInt,
        environment_id -> BigInt,
        events -> BigInt,
    }
}

diesel::table! {
    project_hours (project_id, hour, environment_id) {
        project_id -> BigInt,
        hour -> BigInt,
        environment_id -> BigInt,
        events -> BigInt,
    }
}

diesel::table! {
    issue_users (issue_id, user_hash) {
        issue_id -> BigInt,
        user_hash -> Binary,
        first_seen -> BigInt,
    }
}

diesel::table! {
    issue_tags (issue_id, tag_key, tag_value) {
        issue_id -> BigInt,
        tag_key -> Text,
        tag_value -> Text,
        events -> BigInt,
        last_seen -> BigInt,
    }
}

diesel::table! {
    activity (id) {
        id -> BigInt,
        issue_id -> BigInt,
        kind -> Text,
        user_id -> Nullable<BigInt>,
        data -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    usage_hours (project_id, key_id, hour, category, outcome, reason) {
        project_id -> BigInt,
        key_id -> BigInt,
        hour -> BigInt,
        category -> Text,
        outcome -> Text,
        reason -> Text,
        quantity -> BigInt,
    }
}

diesel::table! {
    refusals (project_id, key_id, reason) {
        project_id -> BigInt,
        key_id -> BigInt,
        reason -> Text,
        quantity -> BigInt,
        last_seen -> BigInt,
        detail -> Text,
        sdk -> Text,
    }
}

diesel::table! {
    tasks (id) {
        id -> BigInt,
        kind -> Text,
        args -> Text,
        unique_key -> Nullable<Text>,
        state -> Integer,
        attempts -> Integer,
        run_at -> BigInt,
        claimed_until -> BigInt,
        claimed_by -> Nullable<Text>,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    leases (name) {
        name -> Text,
        holder -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    sequences (name) {
        name -> Text,
        next -> BigInt,
    }
}

diesel::table! {
    nodes (number) {
        number -> BigInt,
        uid -> BigInt,
        name -> Text,
        roles -> Text,
        settings_version -> BigInt,
        key_fingerprint -> Text,
        last_seen -> BigInt,
        version -> Text,
        accepted -> BigInt,
        digested -> BigInt,
        damaged -> BigInt,
        waiting -> BigInt,
        journal_bytes -> BigInt,
        oldest_at -> BigInt,
    }
}

diesel::table! {
    queue_partitions (id) {
        id -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    consumed (node, seq_from) {
        node -> BigInt,
        seq_from -> BigInt,
        seq_to -> BigInt,
        seqs -> Binary,
    }
}

diesel::table! {
    dead_records (id) {
        id -> BigInt,
        project_id -> BigInt,
        node -> BigInt,
        seq -> BigInt,
        event_id -> Binary,
        reason -> Text,
        attempts -> Integer,
        record -> Binary,
        created_at -> BigInt,
        form -> Integer,
        key_fingerprint -> Text,
        first_failure_at -> BigInt,
        last_failure_at -> BigInt,
    }
}

diesel::table! {
    project_mirrors (project_id) {
        project_id -> BigInt,
        dsn -> Text,
        percent -> Integer,
        is_active -> Bool,
        sent -> BigInt,
        failed -> BigInt,
        dropped -> BigInt,
        last_sent_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        last_error_at -> Nullable<BigInt>,
        updated_at -> BigInt,
    }
}

diesel::table! {
    project_settings (project_id) {
        project_id -> BigInt,
        fingerprint_rules -> Text,
        stack_rules -> Text,
        filters -> Text,
        updated_at -> BigInt,
        updated_by -> Nullable<BigInt>,
        scrubbing -> Nullable<Text>,
        fetch_source_maps -> Bool,
    }
}

diesel::table! {
    organization_settings (organization_id) {
        organization_id -> BigInt,
        scrubbing -> Text,
        updated_at -> BigInt,
        updated_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    ledger (node, outcome) {
        node -> BigInt,
        outcome -> Text,
        quantity -> BigInt,
    }
}

diesel::table! {
    tag_deltas (id) {
        id -> BigInt,
        data -> Binary,
    }
}

diesel::table! {
    payload_dictionaries (id) {
        id -> BigInt,
        platform -> Text,
        created_at -> BigInt,
        data -> Binary,
    }
}

diesel::table! {
    issue_redirects (issue_id) {
        issue_id -> BigInt,
        organization_id -> BigInt,
        project_id -> BigInt,
        short_number -> BigInt,
        target_id -> BigInt,
        merged_at -> BigInt,
    }
}

diesel::table! {
    issue_moves (issue_id) {
        issue_id -> BigInt,
        project_id -> BigInt,
        source_id -> BigInt,
        kind -> Integer,
        phase -> Integer,
        after_id -> BigInt,
        last_tag_delta -> BigInt,
        state -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    upload_chunks (organization_id, checksum) {
        organization_id -> BigInt,
        checksum -> Text,
        blob_key -> Text,
        size -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    artifact_bundles (id) {
        id -> BigInt,
        organization_id -> BigInt,
        upload_key -> Text,
        checksum -> Text,
        state -> Text,
        detail -> Nullable<Text>,
        version -> Nullable<Text>,
        dist -> Nullable<Text>,
        size -> BigInt,
        file_count -> BigInt,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    artifact_bundle_projects (project_id, bundle_id) {
        project_id -> BigInt,
        bundle_id -> BigInt,
    }
}

diesel::table! {
    artifact_files (id) {
        id -> BigInt,
        bundle_id -> BigInt,
        kind -> Integer,
        debug_id -> Nullable<Text>,
        place_key -> Nullable<Text>,
        url -> Text,
        source_map -> Nullable<Text>,
        blob_key -> Text,
        size -> BigInt,
        compiled_key -> Nullable<Text>,
        problem -> Nullable<Text>,
        checksum -> Nullable<Text>,
        waits_for -> Nullable<Text>,
    }
}

diesel::table! {
    release_details (id) {
        id -> BigInt,
        organization_id -> BigInt,
        version -> Text,
        url -> Nullable<Text>,
        reference -> Nullable<Text>,
        status -> Text,
        date_started -> Nullable<BigInt>,
        date_released -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    release_projects (release_id, project_id) {
        release_id -> BigInt,
        project_id -> BigInt,
    }
}

diesel::table! {
    release_commits (release_id, position) {
        release_id -> BigInt,
        position -> BigInt,
        commit_id -> Text,
        message -> Text,
        author_name -> Nullable<Text>,
        author_email -> Nullable<Text>,
        committed_at -> Nullable<BigInt>,
        repository -> Nullable<Text>,
    }
}

diesel::table! {
    commit_files (release_id, position, number) {
        release_id -> BigInt,
        position -> BigInt,
        number -> BigInt,
        name -> Text,
        path -> Text,
        kind -> Text,
    }
}

diesel::table! {
    deploys (id) {
        id -> BigInt,
        release_id -> BigInt,
        environment -> Text,
        name -> Nullable<Text>,
        url -> Nullable<Text>,
        date_started -> Nullable<BigInt>,
        date_finished -> BigInt,
    }
}

diesel::table! {
    attachments (id) {
        id -> BigInt,
        project_id -> BigInt,
        event_id -> Binary,
        name -> Text,
        content_type -> Nullable<Text>,
        kind -> Text,
        size -> BigInt,
        blob_key -> Text,
        state -> Integer,
        received_at -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    feedback (id) {
        id -> BigInt,
        project_id -> BigInt,
        feedback_id -> Binary,
        event_id -> Binary,
        source -> Text,
        name -> Text,
        email -> Text,
        message -> Text,
        url -> Text,
        release_name -> Nullable<Text>,
        environment -> Nullable<Text>,
        state -> Integer,
        created_at -> BigInt,
    }
}

diesel::table! {
    session_states (project_id, sid) {
        project_id -> BigInt,
        sid -> Binary,
        health -> Integer,
        release_id -> BigInt,
        environment_id -> BigInt,
        hour -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    session_hours (project_id, release_id, hour, environment_id) {
        project_id -> BigInt,
        release_id -> BigInt,
        hour -> BigInt,
        environment_id -> BigInt,
        sessions -> BigInt,
        errored -> BigInt,
        unhandled -> BigInt,
        abnormal -> BigInt,
        crashed -> BigInt,
    }
}

diesel::table! {
    session_users (project_id, release_id, day, environment_id) {
        project_id -> BigInt,
        release_id -> BigInt,
        day -> BigInt,
        environment_id -> BigInt,
        users -> Binary,
        crashed -> Binary,
    }
}

diesel::table! {
    debug_files (id) {
        id -> BigInt,
        project_id -> BigInt,
        checksum -> Text,
        position -> BigInt,
        state -> Text,
        detail -> Nullable<Text>,
        name -> Text,
        debug_id -> Nullable<Text>,
        code_id -> Nullable<Text>,
        kind -> Text,
        cpu -> Text,
        features -> Text,
        size -> BigInt,
        blob_key -> Text,
        symbols_key -> Nullable<Text>,
        unwind_key -> Nullable<Text>,
        problem -> Nullable<Text>,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    scraped_scripts (project_id, script_key) {
        project_id -> BigInt,
        script_key -> Text,
        url -> Text,
        version -> Nullable<Text>,
        dist -> Nullable<Text>,
        state -> Text,
        problem -> Nullable<Text>,
        bundle_id -> Nullable<BigInt>,
        size -> BigInt,
        begun_at -> BigInt,
        changed_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    scraped_askers (project_id, script_key, asker) {
        project_id -> BigInt,
        script_key -> Text,
        asker -> BigInt,
        event_row -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    debug_files,
    attachments,
    feedback,
    session_states,
    session_hours,
    session_users,
    release_details,
    release_projects,
    release_commits,
    commit_files,
    deploys,
    users,
    organizations,
    memberships,
    projects,
    project_keys,
    sessions,
    api_tokens,
    environments,
    releases,
    issues,
    issue_details,
    issue_hashes,
    events,
    issue_hours,
    issue_days,
    project_hours,
    issue_users,
    issue_tags,
    activity,
    usage_hours,
    refusals,
    tasks,
    leases,
    sequences,
    nodes,
    queue_partitions,
    consumed,
    dead_records,
    project_mirrors,
    project_settings,
    organization_settings,
    ledger,
    tag_deltas,
    payload_dictionaries,
    issue_redirects,
    issue_moves,
    upload_chunks,
    artifact_bundles,
    artifact_bundle_projects,
    artifact_files,
    scraped_scripts,
    scraped_askers,
);
