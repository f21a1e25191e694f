//! Copying in both directions at once.

use std::io;

use futures::future::try_join;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy};

/// Copies from each stream to the other until both have ended, as a proxy does;
/// returns how many bytes went from `a` to `b` and from `b` to `a`.
///
/// When one direction ends, its writing side is closed, so that the peer reads
/// the end; the other direction goes on.
///
/// # Errors
///
/// The first error of either stream ends both directions.
///
/// # Cancel safety
///
/// Bytes that were read and not yet written are lost when it is dropped.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use polyloop::{io::copy_bidirectional, net::UnixStream};
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let (mut client, inbound) = UnixStream::pair()?;
///     let (outbound, mut server) = UnixStream::pair()?;
///     let proxy = polyloop::create_task(copy_bidirectional(inbound, outbound));
///
///     client.write_all(b"question").await?;
///     client.close().await?;
///     let mut text = String::new();
///     server.read_to_string(&mut text).await?;
///     assert_eq!(text, "question");
///     server.close().await?;
///     assert_eq!(proxy.await.expect("not cancelled")?, (8, 0));
///     Ok(())
/// })?
/// # }
/// ```
pub async fn copy_bidirectional<A, B>(a: A, b: B) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let (mut from_a, mut to_a) = a.split();
    let (mut from_b, mut to_b) = b.split();
    let there = async {
        let count = copy(&mut from_a, &mut to_b).await?;
        to_b.close().await?;
        Ok(count)
    };
    let back = async {
        let count = copy(&mut from_b, &mut to_a).await?;
        to_a.close().await?;
        Ok(count)
    };
    try_join(there, back).await
}
