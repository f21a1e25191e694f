//! Reading and writing bytes: `futures`' traits, and helpers over them.
//!
//! Everything in [`net`](crate::net) that carries bytes implements
//! [`AsyncRead`] and [`AsyncWrite`]. The extension traits give them
//! `read_exact`, `write_all`, `lines` and the like; [`BufReader`] and
//! [`BufWriter`] put a buffer in between, which a program that reads or writes in
//! small pieces wants.
//!
//! ```
//! use polyloop::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
//! use polyloop::net::{TcpListener, TcpStream};
//!
//! # fn main() -> std::io::Result<()> {
//! polyloop::run(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let mut client = TcpStream::connect(listener.local_addr()?).await?;
//!     client.write_all(b"first\nsecond\n").await?;
//!
//!     let (server, _) = listener.accept().await?;
//!     let mut lines = BufReader::new(server);
//!     let mut line = String::new();
//!     lines.read_line(&mut line).await?;
//!     assert_eq!(line, "first\n");
//!     Ok(())
//! })?
//! # }
//! ```

#![forbid(unsafe_code)]

mod copy;

use std::io::Result;

use crate::error::NO_LOOP;
use crate::event_loop::context;
use crate::reactor::Io;

pub use copy::copy_bidirectional;
pub use futures::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite,
    AsyncWriteExt, BufReader, BufWriter, Cursor, Lines, ReadHalf, Take, WriteHalf, copy, copy_buf,
    empty, repeat, sink,
};

/// Registers a non-blocking source with the loop of this thread.
///
/// # Errors
///
/// There is no such loop, or its selector refused the source.
pub(crate) fn register<S: mio::event::Source>(source: S) -> Result<Io<S>> {
    try_register(source).map_err(|(error, _closed)| error)
}

/// As [`register`], and gives the source back on failure.
pub(crate) fn try_register<S: mio::event::Source>(
    source: S,
) -> std::result::Result<Io<S>, (std::io::Error, S)> {
    match context::try_with(|core| core.reactor()) {
        Some(reactor) => Io::new(reactor, source),
        None => Err((std::io::Error::other(NO_LOOP), source)),
    }
}
