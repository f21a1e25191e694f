//! Servers on one thread, asked by a client in a process of its own.

use super::{Run, Scenario};
use crate::Echo;
use crate::client::{Client, Kind, Load, Report};
use crate::machine::{Calls, pin_to, process_time, raise_descriptor_limit};
use crate::runtime::{Part, Runtime, Setup};
use crate::work::{Answer, Work};
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a served request is judged by.
const METRICS: &[&str] = &[
    "ns a request",
    "ns of server processor time a request",
    "ns from request to answer, median",
    "ns from request to answer, 99 %",
];

/// Clients of the UDP echo.
const DATAGRAM_CLIENTS: usize = 16;

const fn tcp(name: &'static str, about: &'static str) -> Scenario {
    Scenario {
        name,
        about,
        metrics: METRICS,
        needs: &[Part::Tcp],
        weight: 1.5,
    }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    tcp("tcp-1-64", "TCP echo, 1 connection, 64 bytes"),
    tcp("tcp-64-64", "TCP echo, 64 connections, 64 bytes"),
    tcp("tcp-1024-64", "TCP echo, 1,024 connections, 64 bytes"),
    tcp("tcp-1-16k", "TCP echo, 1 connection, 16 KiB"),
    tcp("tcp-64-16k", "TCP echo, 64 connections, 16 KiB"),
    tcp("tcp-1024-16k", "TCP echo, 1,024 connections, 16 KiB"),
    Scenario {
        name: "udp",
        about: "UDP echo, 16 clients, 64 bytes",
        metrics: METRICS,
        needs: &[Part::Udp],
        weight: 1.5,
    },
    Scenario {
        name: "http",
        about: "HTTP/1.1 through hyper, 64 connections",
        metrics: METRICS,
        needs: &[Part::Http],
        weight: 1.5,
    },
    calls(
        "calls-1",
        "TCP echo, 1 connection, 64 bytes: what the server asks of the kernel",
    ),
    calls(
        "calls-64",
        "TCP echo, 64 connections, 64 bytes: what the server asks of the kernel",
    ),
];

/// A scenario of its own beside the one that takes the time, because counting
/// makes every call a little longer.
const fn calls(name: &'static str, about: &'static str) -> Scenario {
    Scenario {
        name,
        about,
        metrics: &["system calls a request"],
        needs: &[Part::Tcp, Part::CountedCalls],
        weight: 0.5,
    }
}

/// Connections and bytes of the TCP scenarios.
pub const SHAPES: [(&str, usize, usize); 6] = [
    ("tcp-1-64", 1, 64),
    ("tcp-64-64", 64, 64),
    ("tcp-1024-64", 1024, 64),
    ("tcp-1-16k", 1, 16 * 1024),
    ("tcp-64-16k", 64, 16 * 1024),
    ("tcp-1024-16k", 1024, 16 * 1024),
];

pub(super) fn of<R: Runtime>() -> [(&'static str, Run); 10] {
    [
        (SHAPES[0].0, |work| tcp_of::<R>(work, 0)),
        (SHAPES[1].0, |work| tcp_of::<R>(work, 1)),
        (SHAPES[2].0, |work| tcp_of::<R>(work, 2)),
        (SHAPES[3].0, |work| tcp_of::<R>(work, 3)),
        (SHAPES[4].0, |work| tcp_of::<R>(work, 4)),
        (SHAPES[5].0, |work| tcp_of::<R>(work, 5)),
        ("udp", udp_of::<R>),
        ("http", http_of::<R>),
        ("calls-1", |work| calls_of::<R>(work, 0)),
        ("calls-64", |work| calls_of::<R>(work, 1)),
    ]
}

fn tcp_of<R: Runtime>(work: &Work, shape: usize) -> Answer {
    serve_tcp(work, shape, process_time, |echo| {
        R::start(Setup::default(), async { R::echo_tcp(echo).await })
    })
}

fn calls_of<R: Runtime>(work: &Work, shape: usize) -> Answer {
    count_calls(work, shape, |echo| {
        R::start(Setup::default(), async { R::echo_tcp(echo).await })
    })
}

fn udp_of<R: Runtime>(work: &Work) -> Answer {
    serve_udp(work, process_time, |socket| {
        R::start(Setup::default(), async { R::echo_udp(socket).await })
    })
}

fn http_of<R: Runtime>(work: &Work) -> Answer {
    serve_http(work, process_time, |listener, connections| {
        R::start(Setup::default(), async move {
            R::http(listener, connections).await
        })
    })
}

/// A TCP scenario, by its place in [`SHAPES`], on any server: a function that
/// does what [`Runtime::echo_tcp`] does, blocking. `cpu` is the processor time
/// that the server has used so far.
pub fn serve_tcp(
    work: &Work,
    shape: usize,
    cpu: impl Fn() -> Duration,
    server: impl FnOnce(Echo) -> io::Result<u64> + Send + 'static,
) -> Answer {
    let measure = |client: &mut Client| measured(client, cpu);
    let (report, used) = echoing(work, shape, measure, server);
    judged(&report, used)
}

/// The same server's system calls.
pub fn count_calls(
    work: &Work,
    shape: usize,
    server: impl FnOnce(Echo) -> io::Result<u64> + Send + 'static,
) -> Answer {
    let (report, calls) = echoing(work, shape, counted, server);
    Answer::of([calls as f64 / report.requests as f64])
}

/// Serves a TCP scenario: what `measure` answers of its client.
fn echoing<M>(
    work: &Work,
    shape: usize,
    measure: impl FnOnce(&mut Client) -> (Report, M),
    server: impl FnOnce(Echo) -> io::Result<u64> + Send + 'static,
) -> (Report, M) {
    let (_, connections, size) = SHAPES[shape];
    let listener = listen();
    let servers = vec![(listener.local_addr().expect("it is bound"), connections)];
    let echo = Echo {
        listener,
        connections,
        buffer: size.max(4096),
        rounds: 0,
    };
    let load = load(work, Kind::Tcp, servers, size);
    let (report, measured, echoed) = serve(&load, measure, move || server(echo));
    assert_eq!(echoed, report.total * size as u64);
    (report, measured)
}

/// The UDP scenario on a function that does what [`Runtime::echo_udp`] does.
pub fn serve_udp(
    work: &Work,
    cpu: impl Fn() -> Duration,
    server: impl FnOnce(UdpSocket) -> io::Result<u64> + Send + 'static,
) -> Answer {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    let address = socket.local_addr().expect("it is bound");
    let load = load(work, Kind::Udp, vec![(address, DATAGRAM_CLIENTS)], 64);
    let measure = |client: &mut Client| measured(client, cpu);
    let (report, used, echoed) = serve(&load, measure, move || server(socket));
    assert_eq!(echoed, report.total * 64);
    judged(&report, used)
}

/// The HTTP scenario on a function that does what [`Runtime::http`] does.
pub fn serve_http(
    work: &Work,
    cpu: impl Fn() -> Duration,
    server: impl FnOnce(TcpListener, usize) -> io::Result<()> + Send + 'static,
) -> Answer {
    let connections = 64;
    let listener = listen();
    let address = listener.local_addr().expect("it is bound");
    let load = load(work, Kind::Http, vec![(address, connections)], 0);
    let measure = |client: &mut Client| measured(client, cpu);
    let (report, used, ()) = serve(&load, measure, move || server(listener, connections));
    judged(&report, used)
}

/// Listening on loopback, with room for as many connections as any scenario
/// makes: one that finds none is made again only after a second.
pub fn listen() -> TcpListener {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = listener.expect("loopback has a free port");
    // To listen again changes nothing else. Where the system allows fewer, it
    // takes that many.
    rustix::net::listen(&listener, BACKLOG).expect("it listens already");
    listener
}

/// Connections that may wait to be accepted; std asks for 128.
const BACKLOG: i32 = 4096;

/// What the client is to do.
pub fn load(
    work: &Work,
    kind: Kind,
    servers: Vec<(std::net::SocketAddr, usize)>,
    size: usize,
) -> Load {
    Load {
        kind,
        servers,
        size,
        warm_up: work.warm_up(),
        budget: work.budget,
    }
}

/// Runs the server on a thread, server and client on a core each: the client's
/// report, what else was measured of it, and what the server answered.
fn serve<T: Send + 'static, M>(
    load: &Load,
    measure: impl FnOnce(&mut Client) -> (Report, M),
    server: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> (Report, M, T) {
    raise_descriptor_limit();
    let server = Server::start(server);
    let mut client = Client::start(load);
    let (report, measured) = measure(&mut client);
    client.end();
    let served = server.join(&report);
    (report, measured, served)
}

/// A server's thread, kept on the first core.
pub struct Server<T>(JoinHandle<(Option<usize>, io::Result<T>)>);

impl<T: Send + 'static> Server<T> {
    /// Starts it. The calling thread is left free: what it starts, as a client,
    /// may go to another core.
    pub fn start(server: impl FnOnce() -> io::Result<T> + Send + 'static) -> Self {
        Self(thread::spawn(|| (pin_to(0), server())))
    }

    /// What it answered, when its client is gone; the client's report is looked
    /// at for the core that it ran on.
    pub fn join(self, client: &Report) -> T {
        let (core, served) = self.0.join().expect("the server ends with its client");
        assert!(
            core.is_none() || core != client.core,
            "server and client shared a core"
        );
        served.expect("loopback does not fail")
    }
}

/// Lets a client run: its report, and the processor time that was used while it
/// measured.
pub fn measured(client: &mut Client, cpu: impl Fn() -> Duration) -> (Report, Duration) {
    let mut before = Duration::ZERO;
    let report = client.run(|| before = cpu());
    (report, cpu().saturating_sub(before))
}

/// Lets a client run: its report, and the system calls of this process while it
/// measured.
fn counted(client: &mut Client) -> (Report, u64) {
    let mut calls = None;
    let report = client.run(|| calls = Some(Calls::count()));
    let calls = calls.expect("the client measured");
    let count = calls.and_then(Calls::end);
    (report, count.expect("the machine counts them, as it said"))
}

fn judged(report: &Report, used: Duration) -> Answer {
    let requests = report.requests as f64;
    Answer {
        figures: vec![
            report.nanos as f64 / requests,
            used.as_nanos() as f64 / requests,
            report.latency[0],
            report.latency[1],
        ],
        quantiles: report.quantiles.clone(),
    }
}
