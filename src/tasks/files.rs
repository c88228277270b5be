//! Attachments of a claim. In: its records. Out: their bytes where they stay, and rows to be stored; those that have to wait because the
//! place for files is away, so that events do not wait with them.

use std::time::{Duration, Instant};

use super::content;
use super::process_events::item;
use crate::app::App;
use crate::journal::RecordKind;
use crate::queue::Delivery;
use crate::store::digest::Item;

/// For so long nothing is tried after the place for files did not answer: each try may take seconds.
const PAUSE: Duration = Duration::from_secs(10);

/// What one digest thread knows of the place for files.
#[derive(Default)]
pub struct Files {
    away_until: Option<Instant>,
}

/// What became of the attachments of a claim.
#[derive(Default)]
pub struct Kept {
    pub items: Vec<Item>,
    /// Taken out of the claim.
    pub waiting: Vec<Delivery>,
}

impl Files {
    /// Keeps the files of a claim.
    pub fn keep(&mut self, app: &App, deliveries: &mut Vec<Delivery>) -> Kept {
        let mut kept = Kept::default();
        let is_file = |delivery: &Delivery| delivery.record.kind == RecordKind::Attachment;
        if !deliveries.iter().any(is_file) {
            return kept;
        }
        let all = std::mem::take(deliveries);
        for delivery in all {
            if !is_file(&delivery) {
                deliveries.push(delivery);
            } else if self.is_away() {
                kept.waiting.push(delivery);
            } else {
                match content::attached(app, &delivery.record) {
                    Ok(content) => {
                        kept.items.push(item(&delivery, content));
                        deliveries.push(delivery);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "attachments cannot be kept now; they wait");
                        self.away_until = Some(Instant::now() + PAUSE);
                        kept.waiting.push(delivery);
                    }
                }
            }
        }
        kept
    }

    fn is_away(&self) -> bool {
        self.away_until.is_some_and(|end| Instant::now() < end)
    }
}
