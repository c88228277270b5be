//! In: a server under load that is killed, stopped and cut off from what it stands on. Out: every acknowledged event is
//! stored, exactly once, and every counter agrees.

mod balance;
mod kill;
mod load;
mod outage;
mod poison;
mod stop;

pub use balance::superuser;
pub use load::{Book, Load};
