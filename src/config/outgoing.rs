//! Settings of where Bugle may connect to on behalf of its users.

use clap::Args;

use crate::outgoing::Network;

/// Outgoing calls.
#[derive(Debug, Clone, Args)]
pub struct OutgoingArgs {
    /// Private networks that mirrors may send to and source maps be fetched from, as in `10.0.0.0/8,127.0.0.1`; public addresses always may be.
    #[arg(
        long,
        env = "BUGLE_ALLOW_OUTGOING",
        value_delimiter = ',',
        value_name = "NETWORKS"
    )]
    pub allow_outgoing: Vec<String>,
}

impl OutgoingArgs {
    /// Checks the networks and adds what is wrong to the mistakes.
    pub fn check(&self, mistakes: &mut Vec<String>) -> Vec<Network> {
        let given = self.allow_outgoing.iter();
        given
            .filter(|text| !text.trim().is_empty())
            .filter_map(|text| {
                text.parse::<Network>()
                    .map_err(|mistake| mistakes.push(format!("BUGLE_ALLOW_OUTGOING: {mistake}")))
                    .ok()
            })
            .collect()
    }
}
