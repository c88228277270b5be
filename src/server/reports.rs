//! Bugle's own errors to a DSN. In: the settings. Out: reporting that has begun, and knows what it must never tell.

use crate::config::Config;
use crate::telemetry::self_report::{self, Settings};

/// Begins to report, where a DSN is set.
pub fn start(config: &Config) {
    let Some(dsn) = &config.telemetry.self_dsn else {
        return;
    };
    let roles: Vec<String> = config
        .roles
        .iter()
        .map(|role| format!("{role:?}").to_lowercase())
        .collect();
    let queue = if config.redis_url.is_some() {
        "redis"
    } else {
        "embedded"
    };
    let database = format!("{:?}", config.database.backend).to_lowercase();
    self_report::start(Settings {
        dsn: dsn.clone(),
        environment: config.telemetry.self_environment.clone(),
        tags: vec![
            ("roles", roles.join(",")),
            ("database", database),
            ("queue", queue.to_owned()),
        ],
        secrets: secrets(config),
    });
}

/// Everything in the settings that nobody may read: keys, tokens, passwords, and the addresses that hold them.
fn secrets(config: &Config) -> Vec<String> {
    let mut secrets = vec![config.secret_key.clone()];
    secrets.extend(config.telemetry.metrics_token.clone());
    secrets.extend(config.admin.as_ref().map(|(_, password)| password.clone()));
    let urls = [
        config.redis_url.as_deref(),
        config.smtp_url.as_deref(),
        config.database.server_url(),
    ];
    for url in urls.into_iter().flatten() {
        secrets.push(url.to_owned());
        let password = url::Url::parse(url)
            .ok()
            .and_then(|url| url.password().map(str::to_owned));
        if let Some(password) = password {
            let plain = percent_encoding::percent_decode_str(&password).decode_utf8_lossy();
            secrets.push(plain.into_owned());
            secrets.push(password);
        }
    }
    secrets
}
