//! Settings of how Bugle is watched: metrics, `StatsD`, reports of its own errors.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::secret;
use crate::protocol::dsn::Dsn;

/// How Bugle is watched.
#[derive(Debug, Clone, Args)]
pub struct TelemetryArgs {
    /// Address and port of their own for Prometheus' `/metrics`; without it and without a token there are no metrics.
    #[arg(long, env = "BUGLE_METRICS_LISTEN", value_name = "ADDR")]
    pub metrics_listen: Option<SocketAddr>,

    /// Bearer token for `/metrics`, at least 16 characters; with it the main address answers there as well.
    #[arg(
        long,
        env = "BUGLE_METRICS_TOKEN",
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub metrics_token: Option<String>,

    /// Path of a file that holds the token for `/metrics`.
    #[arg(long, env = "BUGLE_METRICS_TOKEN_FILE", value_name = "PATH")]
    pub metrics_token_file: Option<PathBuf>,

    /// `StatsD` server that gets the metrics every 10 seconds, as in `localhost:8125`.
    #[arg(long, env = "BUGLE_STATSD", value_name = "HOST:PORT")]
    pub statsd: Option<String>,

    /// What names of `StatsD` metrics begin with.
    #[arg(
        long,
        env = "BUGLE_STATSD_PREFIX",
        default_value = "bugle",
        value_name = "TEXT"
    )]
    pub statsd_prefix: String,

    /// Send labels as `DogStatsD` tags instead of parts of the name.
    #[arg(long, env = "BUGLE_STATSD_TAGS")]
    pub statsd_tags: bool,

    /// DSN that gets Bugle's own errors: of a project of this Bugle, or of another tracker.
    #[arg(
        long,
        env = "BUGLE_SELF_DSN",
        value_name = "DSN",
        hide_env_values = true
    )]
    pub self_dsn: Option<String>,

    /// Path of a file that holds the DSN for Bugle's own errors.
    #[arg(long, env = "BUGLE_SELF_DSN_FILE", value_name = "PATH")]
    pub self_dsn_file: Option<PathBuf>,

    /// Environment that reports of Bugle's own errors name.
    #[arg(
        long,
        env = "BUGLE_SELF_ENVIRONMENT",
        default_value = "production",
        value_name = "TEXT"
    )]
    pub self_environment: String,
}

/// The same, checked.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    pub metrics_listen: Option<SocketAddr>,
    pub metrics_token: Option<String>,
    pub statsd: Option<String>,
    pub statsd_prefix: String,
    pub statsd_tags: bool,
    pub self_dsn: Option<Dsn>,
    pub self_environment: String,
}

/// A shorter token can be guessed.
const SHORTEST_TOKEN: usize = 16;

impl TelemetryArgs {
    /// Checks these settings and adds what is wrong to the mistakes.
    pub fn check(&self, mistakes: &mut Vec<String>) -> TelemetryConfig {
        let mut noted = |result: Result<Option<String>, String>| {
            result.unwrap_or_else(|mistake| {
                mistakes.push(mistake);
                None
            })
        };
        let token = noted(secret(
            "BUGLE_METRICS_TOKEN",
            self.metrics_token.as_ref(),
            self.metrics_token_file.as_ref(),
        ));
        let dsn = noted(secret(
            "BUGLE_SELF_DSN",
            self.self_dsn.as_ref(),
            self.self_dsn_file.as_ref(),
        ));
        if token
            .as_ref()
            .is_some_and(|token| token.len() < SHORTEST_TOKEN)
        {
            mistakes.push(format!(
                "BUGLE_METRICS_TOKEN needs at least {SHORTEST_TOKEN} characters; `openssl rand -hex 16` makes one"
            ));
        }
        // The text of a wrong DSN is not shown: it may hold a key.
        let dsn = dsn.and_then(|text| {
            text.parse::<Dsn>()
                .map_err(|error| mistakes.push(format!("BUGLE_SELF_DSN: {error}")))
                .ok()
        });
        if let Some(server) = &self.statsd
            && !is_host_and_port(server)
        {
            mistakes.push(format!(
                "BUGLE_STATSD '{server}' must be a host and a port, as in localhost:8125"
            ));
        }
        TelemetryConfig {
            metrics_listen: self.metrics_listen,
            metrics_token: token,
            statsd: self.statsd.clone(),
            statsd_prefix: self.statsd_prefix.trim_matches('.').to_owned(),
            statsd_tags: self.statsd_tags,
            self_dsn: dsn,
            self_environment: self.self_environment.clone(),
        }
    }
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}
