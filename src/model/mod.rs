//! model.

pub mod event;
