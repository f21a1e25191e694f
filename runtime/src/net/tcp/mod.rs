//! TCP: listeners and streams.

mod listener;
mod options;
mod serve;
mod split;
mod stream;

pub use listener::{Incoming, TcpListener};
pub use options::TcpListenOptions;
pub(super) use options::set_reuse_port;
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use stream::TcpStream;
