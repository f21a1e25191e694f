//! What the programs in `src/bin` are made of: the services [`jobs`] and
//! [`kv`].
#![forbid(unsafe_code)]

pub mod jobs;
pub mod kv;
