//! In: a server under load that is killed, stopped and cut off from what it stands on. Out: every acknowledged event is
//! stored, exactly once, and every counter agrees.

mod kill;
mod load;
mod outage;
mod stop;

pub use load::{Book, Load};
