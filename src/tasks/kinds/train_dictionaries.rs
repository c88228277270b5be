//! Learns from stored events how to compress new ones. In: the newest events, by platform. Out: a dictionary for each
//! platform where that saves enough.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::store::{StoreError, dictionaries, events, now_ms};
use crate::tasks::{Periodic, Task, TaskError, outbox_row};

/// Events that are looked at: more make no better dictionary, and cost memory.
const SAMPLES: i64 = 1_500;
/// Events stored by a node until it wants the first dictionaries; then again at ten times as many.
const FIRST: u64 = 500;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct TrainDictionaries {}

/// Counts stored events, and starts the task where there is much more to learn from than the last time.
pub fn after(app: &Arc<App>, stored: usize) {
    let before = app.stored.fetch_add(stored as u64, Ordering::Relaxed);
    let due = (0..12).map(|power| FIRST * 10u64.pow(power));
    if due
        .into_iter()
        .any(|due| before < due && due <= before + stored as u64)
    {
        let row = outbox_row(
            &TrainDictionaries::default(),
            Some("train-dictionaries".into()),
            now_ms(),
        );
        let written = app.store.write_blocking(move |conn| {
            crate::store::tasks::enqueue(conn, std::slice::from_ref(&row))
        });
        match written {
            Ok(()) => app.tasks_wake.notify_one(),
            Err(error) => tracing::debug!(%error, "dictionaries are made another time"),
        }
    }
}

impl Task for TrainDictionaries {
    const NAME: &'static str = "train_dictionaries";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, app: Arc<App>) -> Result<(), TaskError> {
        let payloads = app
            .store
            .read(|conn| events::newest_payloads(conn, SAMPLES))
            .await?;
        let current = app.dictionaries.current();
        let trained = tokio::task::spawn_blocking(move || {
            by_platform(payloads)
                .into_iter()
                .filter_map(|(platform, samples)| {
                    let trained = dictionaries::train(&platform, &samples, &current)?;
                    Some((platform, trained))
                })
                .collect::<Vec<_>>()
        });
        for (platform, trained) in trained
            .await
            .map_err(|error| TaskError::Retry(error.to_string()))?
        {
            tracing::info!(
                platform,
                per_mille = trained.per_mille,
                "payloads of this platform have a new dictionary"
            );
            app.store
                .write(move |conn| -> Result<(), StoreError> {
                    dictionaries::keep(conn, &platform, &trained)
                })
                .await?;
        }
        Ok(())
    }
}

impl Periodic for TrainDictionaries {
    const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
}

fn by_platform(payloads: Vec<Vec<u8>>) -> HashMap<String, Vec<Vec<u8>>> {
    #[derive(Deserialize)]
    struct OnlyPlatform {
        platform: String,
    }
    let mut samples = HashMap::<String, Vec<Vec<u8>>>::new();
    for json in payloads {
        if let Ok(OnlyPlatform { platform }) = serde_json::from_slice(&json) {
            samples.entry(platform).or_default().push(json);
        }
    }
    samples
}
