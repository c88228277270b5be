//! In: a server under load that is killed, stopped and cut off from what it stands on. Out: every acknowledged event is
//! stored, exactly once, and every counter agrees. How long recovery took is printed, not asserted: machines differ.

mod balance;
mod clock;
mod disk;
mod drain;
mod fairness;
mod full;
mod kill;
mod load;
mod merging;
mod nodes;
mod outage;
mod poison;
mod redis;
mod stop;

pub use balance::superuser;
pub use load::{Book, Load};
