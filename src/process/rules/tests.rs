//! Rules from text to effect.

mod fingerprints;
mod grammar;
mod properties;
mod stacks;
