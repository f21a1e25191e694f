//! State on loops: values that live, are used and are dropped on one loop, and
//! that any thread may send work to.
#![forbid(unsafe_code)]

mod error;
mod foreign;
mod invocation;
mod sharded;
mod store;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(all(test, not(loom)))]
mod trap_tests;

pub use error::InvokeError;
pub use foreign::Foreign;
pub use invocation::Invocation;
pub use sharded::{Sharded, Starting};
pub use store::Here;
