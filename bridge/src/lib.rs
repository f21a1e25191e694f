//! Many polyloop event loops: submission to a chosen loop, blocking offload,
//! channels across threads.

pub mod channel;
mod loom;
mod outcome;
mod waiters;

#[cfg(all(test, not(loom)))]
mod test_tools;
