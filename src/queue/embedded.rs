//! The queue of a single node: workers read its journal in place.
//! In: the journal. Out: its records, in fair turns over projects.

use std::time::Duration;

use super::{Claim, Delivery, Handle, Queue, QueueError, Terms};
use crate::journal::{Journal, Position};

pub struct EmbeddedQueue {
    journal: Journal,
}

impl EmbeddedQueue {
    pub fn new(journal: Journal) -> Self {
        Self { journal }
    }
}

fn positions(deliveries: &[Delivery]) -> Vec<(i64, Position)> {
    deliveries
        .iter()
        .filter_map(|delivery| match delivery.handle {
            Handle::Journal(position) => Some((delivery.record.project_id, position)),
            Handle::Stream { .. } => None,
        })
        .collect()
}

impl Queue for EmbeddedQueue {
    fn claim(&mut self, most: usize, patience: Duration) -> Result<Claim, QueueError> {
        let node = self.journal.node();
        let deliveries: Vec<Delivery> = self
            .journal
            .claim(most, patience)
            .into_iter()
            .map(|claimed| Delivery {
                node,
                record: claimed.record,
                handle: Handle::Journal(claimed.position),
                is_suspect: false,
            })
            .collect();
        let safe_below = if deliveries.is_empty() {
            Vec::new()
        } else {
            vec![(node, self.journal.safe_below())]
        };
        Ok(Claim {
            deliveries,
            terms: Terms {
                safe_below,
                expires: None,
            },
        })
    }

    fn acknowledge(&mut self, deliveries: &[Delivery]) -> Result<(), QueueError> {
        let positions: Vec<Position> = positions(deliveries)
            .into_iter()
            .map(|(_, position)| position)
            .collect();
        self.journal.ack(&positions);
        Ok(())
    }

    fn release(&mut self, deliveries: &[Delivery]) -> Result<(), QueueError> {
        self.journal.release(&positions(deliveries));
        Ok(())
    }

    fn postpone(&mut self, deliveries: &[Delivery]) -> Result<(), QueueError> {
        self.journal.postpone(&positions(deliveries));
        Ok(())
    }
}
