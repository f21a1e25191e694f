//! What the programs in `src/bin` are made of: the [`jobs`] service.
#![forbid(unsafe_code)]

pub mod jobs;
