//! TCP echo with 64 connections: the server on one thread with each runtime,
//! the client in a process of its own.

use crate::echo_client::{CONNECTIONS, MESSAGE};
use polyloop_benches::{Plan, Scenario, Side, thread_time};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::thread;

/// Judged by the client's clock and by the server's processor time.
pub fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: "echo-64",
        metrics: &["ns a request", "ns of server processor time a request"],
        sides: sides![echo],
        once: false,
    }]
}

/// A single-threaded runtime that serves sockets.
trait Server {
    /// Accepts as many connections as the client makes, echoes until each is
    /// closed, and answers how many bytes it echoed.
    fn serve(listener: TcpListener) -> std::io::Result<u64>;
}

fn echo<R: Server>(plan: &Plan) -> Vec<f64> {
    let requests = plan.scale(200_000).next_multiple_of(CONNECTIONS as u64);
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = TcpListener::bind(any_port).expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    let server = thread::spawn(move || {
        let began = thread_time();
        let echoed = R::serve(listener).expect("loopback does not fail");
        (echoed, thread_time() - began)
    });
    let took = run_client(address, requests);
    let (echoed, used) = server.join().expect("the server ends with its client");
    assert_eq!(echoed, requests * MESSAGE as u64);
    let per_request = |nanos: f64| nanos / requests as f64;
    vec![per_request(took), per_request(used.as_nanos() as f64)]
}

/// Runs this very program as the client; its wall time in nanoseconds.
fn run_client(address: SocketAddr, requests: u64) -> f64 {
    let program = std::env::current_exe().expect("the system knows what it runs");
    let output = Command::new(program)
        .args(["echo-client", &address.to_string(), &requests.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("this program starts once more");
    assert!(output.status.success(), "the client found a wrong answer");
    let printed = String::from_utf8_lossy(&output.stdout);
    printed.trim().parse().expect("the client prints a number")
}

struct Polyloop;

impl Server for Polyloop {
    fn serve(listener: TcpListener) -> std::io::Result<u64> {
        use futures::{AsyncReadExt, AsyncWriteExt};
        polyloop::run(async {
            let listener = polyloop::net::TcpListener::from_std(listener)?;
            let mut tasks = Vec::new();
            for _ in 0..CONNECTIONS {
                let (mut stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tasks.push(polyloop::create_task(async move {
                    let mut buffer = [0; 4096];
                    let mut echoed = 0;
                    loop {
                        let length = stream.read(&mut buffer).await?;
                        if length == 0 {
                            return std::io::Result::Ok(echoed);
                        }
                        stream.write_all(&buffer[..length]).await?;
                        echoed += length as u64;
                    }
                }));
            }
            let mut echoed = 0;
            for task in tasks {
                echoed += task
                    .await
                    .map_err(|error| std::io::Error::other(error.to_string()))??;
            }
            Ok(echoed)
        })?
    }
}

#[cfg(feature = "peers")]
struct Tokio;

#[cfg(feature = "peers")]
impl Server for Tokio {
    fn serve(listener: TcpListener) -> std::io::Result<u64> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        crate::tasks::current_thread().block_on(async {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let mut tasks = Vec::new();
            for _ in 0..CONNECTIONS {
                let (mut stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tasks.push(tokio::spawn(async move {
                    let mut buffer = [0; 4096];
                    let mut echoed = 0;
                    loop {
                        let length = stream.read(&mut buffer).await?;
                        if length == 0 {
                            return std::io::Result::Ok(echoed);
                        }
                        stream.write_all(&buffer[..length]).await?;
                        echoed += length as u64;
                    }
                }));
            }
            let mut echoed = 0;
            for task in tasks {
                echoed += task.await??;
            }
            Ok(echoed)
        })
    }
}
