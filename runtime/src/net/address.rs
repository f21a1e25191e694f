//! Addresses, and names that stand for them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, ToSocketAddrs};

use futures::channel::oneshot;

use crate::offload::{self, Job};

/// What a socket can be bound or connected to.
///
/// A [`SocketAddr`], an IP address with a port, or a list of `SocketAddr`s is
/// taken as it is. A `&str` or `String` such as `"host:80"`, or a pair of a host
/// and a port, is looked up by [`lookup_host`] unless it is a number.
///
/// It cannot be implemented outside of this crate.
pub trait ToAddresses: sealed::ToAddresses {}

impl<A: sealed::ToAddresses> ToAddresses for A {}

/// Addresses of a host name: `loop.getaddrinfo`.
///
/// The system's resolver may block for seconds, so the question is asked on a
/// thread of the loop's [`Offload`](crate::Offload), or, if it has none or that
/// one is shut down, on a thread of its own. Numbers are answered at once.
///
/// # Errors
///
/// The name is malformed, unknown or has no address; the resolver failed; or no
/// thread could be had.
///
/// # Cancel safety
///
/// Dropping the future abandons the answer; the question runs to its end.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let addresses = polyloop::net::lookup_host(("localhost", 80)).await?;
///     assert!(addresses.iter().all(|address| address.ip().is_loopback()));
///     Ok(())
/// })?
/// # }
/// ```
#[doc(alias = "getaddrinfo")]
pub async fn lookup_host(host: impl ToAddresses) -> io::Result<Vec<SocketAddr>> {
    let addresses = match host.addresses() {
        Addresses::Known(addresses) => addresses,
        Addresses::Text(text) => ask(move || text.to_socket_addrs()).await?,
        Addresses::Host(host, port) => ask(move || (host.as_str(), port).to_socket_addrs()).await?,
    };
    if addresses.is_empty() {
        return Err(super::no_address());
    }
    Ok(addresses)
}

/// Runs a blocking question on another thread.
async fn ask<I: Iterator<Item = SocketAddr>>(
    question: impl FnOnce() -> io::Result<I> + Send + 'static,
) -> io::Result<Vec<SocketAddr>> {
    let (answer, answered) = oneshot::channel();
    let job = Box::new(move || {
        // Nobody may want the answer any more.
        let _ = answer.send(question().map(Iterator::collect));
    });
    start(job)?;
    // The job is gone without an answer: its executor dropped it, or it died.
    answered
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the look-up was dropped unanswered")))
}

fn start(job: Job) -> io::Result<()> {
    let refused = match crate::current_offload() {
        Some(offload) => offload.offload(job).err(),
        None => Some(job),
    };
    refused.map_or(Ok(()), offload::on_own_thread)
}

mod sealed {
    use super::Addresses;

    pub trait ToAddresses {
        fn addresses(self) -> Addresses;
    }
}

/// Addresses, or what they must be looked up from.
#[doc(hidden)]
#[derive(Debug)]
pub enum Addresses {
    Known(Vec<SocketAddr>),
    Text(String),
    Host(String, u16),
}

impl Addresses {
    fn one(address: impl Into<SocketAddr>) -> Self {
        Self::Known(vec![address.into()])
    }
}

impl sealed::ToAddresses for SocketAddr {
    fn addresses(self) -> Addresses {
        Addresses::one(self)
    }
}

impl sealed::ToAddresses for SocketAddrV4 {
    fn addresses(self) -> Addresses {
        Addresses::one(self)
    }
}

impl sealed::ToAddresses for SocketAddrV6 {
    fn addresses(self) -> Addresses {
        Addresses::one(self)
    }
}

impl sealed::ToAddresses for (IpAddr, u16) {
    fn addresses(self) -> Addresses {
        Addresses::one(self)
    }
}

impl sealed::ToAddresses for (Ipv4Addr, u16) {
    fn addresses(self) -> Addresses {
        Addresses::one(self)
    }
}

impl sealed::ToAddresses for (Ipv6Addr, u16) {
    fn addresses(self) -> Addresses {
        Addresses::one(self)
    }
}

impl sealed::ToAddresses for &[SocketAddr] {
    fn addresses(self) -> Addresses {
        Addresses::Known(self.to_vec())
    }
}

impl sealed::ToAddresses for Vec<SocketAddr> {
    fn addresses(self) -> Addresses {
        Addresses::Known(self)
    }
}

impl sealed::ToAddresses for &str {
    fn addresses(self) -> Addresses {
        match self.parse::<SocketAddr>() {
            Ok(address) => Addresses::one(address),
            Err(_) => Addresses::Text(self.to_owned()),
        }
    }
}

impl sealed::ToAddresses for String {
    fn addresses(self) -> Addresses {
        match self.parse::<SocketAddr>() {
            Ok(address) => Addresses::one(address),
            Err(_) => Addresses::Text(self),
        }
    }
}

impl sealed::ToAddresses for &String {
    fn addresses(self) -> Addresses {
        self.as_str().addresses()
    }
}

impl sealed::ToAddresses for (&str, u16) {
    fn addresses(self) -> Addresses {
        (self.0.to_owned(), self.1).addresses()
    }
}

impl sealed::ToAddresses for (String, u16) {
    fn addresses(self) -> Addresses {
        match self.0.parse::<IpAddr>() {
            Ok(address) => Addresses::one((address, self.1)),
            Err(_) => Addresses::Host(self.0, self.1),
        }
    }
}
