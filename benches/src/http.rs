//! The one HTTP request of the bench, and its answer.

use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};
use std::convert::Infallible;
use std::io;

/// What the client sends.
pub const REQUEST: &str = "GET /hello HTTP/1.1\r\nhost: bench\r\nuser-agent: bench\r\n\r\n";

/// What it is to get.
pub const BODY: &str = "Hello, whoever measures this.";

/// hyper's service, the same for every runtime; for
/// `hyper::service::service_fn`.
///
/// # Errors
/// Never.
pub async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    assert_eq!(
        request.uri().path(),
        "/hello",
        "the client asks for nothing else"
    );
    let mut response = Response::new(Body::new(Bytes::from_static(BODY.as_bytes())));
    let text = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(CONTENT_TYPE, text);
    Ok(response)
}

/// A body in one piece.
pub type Body = http_body_util::Full<Bytes>;

/// Are these bytes a whole answer?
pub(crate) fn is_whole(bytes: &[u8]) -> io::Result<bool> {
    let good = b"HTTP/1.1 200 OK\r\n";
    if bytes.len() >= good.len() && !bytes.starts_with(good) {
        return Err(io::Error::other("the server answered something else"));
    }
    Ok(bytes.ends_with(BODY.as_bytes()))
}
