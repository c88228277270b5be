//! In: errors of an application, and what people do with them. Out: issues as lists, pages and the API show them.

mod aging;
mod count;
mod flood;
mod grouping;
mod ignoring;
mod life;
mod lists;
mod merging;
mod resolving;
mod splitting;
