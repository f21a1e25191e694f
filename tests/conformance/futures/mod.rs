//! test_futures.

mod callbacks;
mod future;
mod told;
