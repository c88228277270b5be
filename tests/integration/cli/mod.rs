//! In: the commands of the binary, good and mistaken. Out: what they print, which status they leave, what they changed.

mod mistakes;
mod operation;
mod set_up;
mod storage;
