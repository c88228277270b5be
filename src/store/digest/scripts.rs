//! Events that lack the source map of a public script. In: the events of a batch with their issues. Out: which scripts are to be fetched,
//! and which events are to be processed again at once.

use std::collections::HashMap;

use super::events::row_id;
use super::place::Placed;
use crate::store::scraped::{self, Asked, Asking};
use crate::store::{Conn, StoreError, nodes, now_ms};

/// Asks for the scripts of those events that are kept.
pub(super) fn ask(conn: &mut Conn, placed: &[Placed<'_>]) -> Result<Asked, StoreError> {
    let mut numbers = HashMap::<i64, i64>::new();
    let mut askings = Vec::new();
    for event in placed.iter().filter(|event| event.kept) {
        let item = event.new.item;
        for script in &event.new.event.wanted_scripts {
            let number = if let Some(number) = numbers.get(&item.node) {
                *number
            } else {
                let number = nodes::number_of(conn, item.node)?;
                numbers.insert(item.node, number);
                number
            };
            askings.push(Asking {
                project_id: item.project_id,
                script,
                issue_id: event.issue_id,
                event_row: row_id(item.received_ms, number, item.seq),
            });
        }
    }
    if askings.is_empty() {
        return Ok(Asked::default());
    }
    scraped::ask(conn, &askings, now_ms())
}
