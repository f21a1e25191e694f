//! The service's face: a page, an API and metrics over HTTP/1.

pub mod answer;
pub mod body;
pub mod guard;
pub mod metrics;
pub mod refusal;
pub mod route;
pub mod view;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use polyloop::compat::hyper::{HyperIo, HyperTimer};
use polyloop::net::TcpStream;

use self::answer::Face;
use self::guard::Guard;

/// Serves one connection, request after request, until either side is done.
///
/// # Cancel safety
///
/// Dropping the future closes the connection; a run that was asked for goes on.
pub async fn serve(stream: TcpStream, face: Arc<Face>) {
    // The address that the client has reached is one of the service's own names.
    let Ok(address) = stream.local_addr() else {
        return;
    };
    let guard = Guard::new(address, &face.names);
    let shared = Rc::new((face, guard));
    let answer = service_fn(move |request| {
        let shared = Rc::clone(&shared);
        async move {
            let (face, guard) = &*shared;
            Ok::<_, Infallible>(face.answer(guard, request).await)
        }
    });
    // An error here is the client's: it went away, was too slow or spoke no HTTP.
    let _ = http1::Builder::new()
        .timer(HyperTimer)
        .header_read_timeout(HEAD_TIME)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(HyperIo::new(stream), answer)
        .await;
}

/// From the first byte of a head to its last.
const HEAD_TIME: Duration = Duration::from_secs(10);
const MAX_HEADERS: usize = 64;
const MAX_HEAD: usize = 16 * 1024;
