//! HTTP over loopback: hyper's clients and servers on one loop, with services
//! and bodies that must not leave their thread.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, client, server};
use polyloop::compat::hyper::{HyperExecutor, HyperIo, HyperTimer};
use polyloop::create_task;
use polyloop::net::{TcpListener, TcpStream};
use polyloop_tests::with_watchdog;

type Failure = Box<dyn std::error::Error>;

fn run(test: impl Future<Output = Result<(), Failure>>) {
    let outcome = with_watchdog(Duration::from_secs(60), || polyloop::run(test));
    outcome.expect("a loop can be had").expect("no error");
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    Http1,
    Http2,
}

/// A body that counts, in a counter of this thread, what it has sent.
struct LocalBody {
    left: usize,
    sent: Rc<Cell<usize>>,
}

impl Body for LocalBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.sent.set(self.sent.get() + 1);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'.'; 1000])))))
    }
}

/// Answers `GET /N` with N frames; `POST` with the length of what was posted.
async fn answer(
    request: Request<Incoming>,
    sent: Rc<Cell<usize>>,
) -> Result<Response<LocalBody>, hyper::Error> {
    let mut left = request
        .uri()
        .path()
        .trim_start_matches('/')
        .parse()
        .unwrap_or(0);
    let mut response = Response::builder();
    if request.method() == Method::POST {
        let posted = request.into_body().collect().await?.to_bytes();
        response = response.header("posted", posted.len());
        left = 0;
    }
    let response = response.body(LocalBody { left, sent });
    Ok(response.expect("the header is a number"))
}

/// Serves one connection after the other until it is cancelled.
async fn serve(listener: TcpListener, version: Version, sent: Rc<Cell<usize>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let sent = sent.clone();
        let service = service_fn(move |request| answer(request, sent.clone()));
        let connection = async move {
            match version {
                Version::Http1 => {
                    server::conn::http1::Builder::new()
                        .timer(HyperTimer)
                        .header_read_timeout(Duration::from_secs(30))
                        .serve_connection(stream, service)
                        .await
                }
                Version::Http2 => {
                    server::conn::http2::Builder::new(HyperExecutor)
                        .timer(HyperTimer)
                        .keep_alive_interval(Duration::from_secs(30))
                        .serve_connection(stream, service)
                        .await
                }
            }
        };
        drop(create_task(connection));
    }
}

enum Sender {
    Http1(client::conn::http1::SendRequest<Full<Bytes>>),
    Http2(client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Sender {
    async fn connect(stream: TcpStream, version: Version) -> Result<Self, hyper::Error> {
        // The wrapper, so that it is exercised beside the bare streams.
        let io = HyperIo::new(stream);
        match version {
            Version::Http1 => {
                let (sender, connection) = client::conn::http1::handshake(io).await?;
                drop(create_task(connection));
                Ok(Self::Http1(sender))
            }
            Version::Http2 => {
                let (sender, connection) =
                    client::conn::http2::handshake(HyperExecutor, io).await?;
                drop(create_task(connection));
                Ok(Self::Http2(sender))
            }
        }
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://localhost{path}"))
            .header("host", "localhost")
            .body(Full::from(body))
            .expect("a well-formed request");
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}

async fn converse(version: Version) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let sent = Rc::new(Cell::new(0));
    let server = create_task(serve(listener, version, sent.clone())).abort_on_drop();

    let stream = TcpStream::connect(address).await?;
    let mut sender = Sender::connect(stream, version).await?;
    for frames in [0, 1, 200] {
        let before = sent.get();
        let response = sender
            .send(Method::GET, &format!("/{frames}"), Vec::new())
            .await?;
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await?.to_bytes();
        assert_eq!(body.len(), frames * 1000);
        assert!(body.iter().all(|byte| *byte == b'.'));
        assert_eq!(sent.get() - before, frames);
    }
    let response = sender.send(Method::POST, "/", vec![7; 300_000]).await?;
    assert_eq!(response.headers()["posted"], "300000");
    drop((sender, server));
    Ok(())
}

#[test]
fn http1_client_and_server() {
    run(converse(Version::Http1));
}

#[test]
fn http2_client_and_server() {
    run(converse(Version::Http2));
}

#[test]
fn http2_answers_many_requests_of_one_connection_at_once() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = create_task(serve(listener, Version::Http2, Rc::default())).abort_on_drop();
        let stream = TcpStream::connect(address).await?;
        let Sender::Http2(sender) = Sender::connect(stream, Version::Http2).await? else {
            unreachable!("HTTP/2 was asked for");
        };
        let requests = (0..50_usize).map(|frames| {
            let mut sender = Sender::Http2(sender.clone());
            async move {
                let path = format!("/{frames}");
                let response = sender.send(Method::GET, &path, Vec::new()).await?;
                let body = response.into_body().collect().await?.to_bytes();
                Ok::<_, hyper::Error>(body.len() == frames * 1000)
            }
        });
        let right = polyloop::try_gather(requests).await?;
        assert!(right.into_iter().all(|right| right));
        drop(server);
        Ok(())
    });
}

#[test]
fn a_head_that_does_not_come_is_timed_out_by_the_loops_timer() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let (stream, _) = listener.accept().await?;
        let service =
            service_fn(|_| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
        let outcome = server::conn::http1::Builder::new()
            .timer(HyperTimer)
            .header_read_timeout(Duration::from_millis(20))
            .serve_connection(stream, service)
            .await;
        assert!(outcome.unwrap_err().is_timeout());
        drop(client);
        Ok(())
    });
}
