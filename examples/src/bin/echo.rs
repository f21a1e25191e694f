//! A TCP echo server with one loop a core.
//!
//! Every loop listens at the same address; the kernel deals out the connections,
//! and each stays on the loop that took it.
//!
//! ```sh
//! cargo run --release --bin echo                    # tries itself out and ends
//! cargo run --release --bin echo -- 127.0.0.1:7000  # serves until Ctrl-C
//! ```
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use polyloop_bridge::LoopGroup;
use polyloop_bridge::group::Accept;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address: Option<SocketAddr> = std::env::args().nth(1).map(|a| a.parse()).transpose()?;
    let group = LoopGroup::builder().build()?;
    let listen = address.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = group.serve_tcp(listen, Accept::ReusePort, echo)?;
    println!("echo at {} on {} loops", server.local_addr(), group.len());

    match address {
        Some(_) => polyloop::run(polyloop::signal::ctrl_c())??,
        None => try_out(server.local_addr())?,
    }
    println!("{}", group.shutdown(Duration::from_secs(1)));
    Ok(())
}

/// Sends back what comes, until the other side is done.
async fn echo(mut stream: polyloop::net::TcpStream) {
    let mut buffer = [0; 16 * 1024];
    // An error is the end of this connection, and of nothing else.
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// Eight connections at once, each of which must get its own bytes back.
fn try_out(address: SocketAddr) -> io::Result<()> {
    let mut streams: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(address))
        .collect::<io::Result<_>>()?;
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.write_all(format!("hello from {number}").as_bytes())?;
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        assert_eq!(answer.as_slice(), format!("hello from {number}").as_bytes());
    }
    println!("8 connections got their own bytes back");
    Ok(())
}
