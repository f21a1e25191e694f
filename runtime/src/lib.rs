//! polyloop

pub mod sync;
