//! Sharing: cores among connections, and a loop among tasks.

use super::serving::{Server, listen, load, measured};
use super::{Run, Scenario};
use crate::client::{Client, Kind};
use crate::runtime::{Part, Runtime, Setup};
use crate::work::{Answer, Work};
use crate::{Echo, process_time};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};

/// Connections of the scaling scenarios.
const CONNECTIONS: usize = 32;
/// Computing for each request there, about 20 µs: the loops are to have more to
/// do than the client.
const ROUNDS: u32 = 250;
/// Connections that flood.
const FLOOD: usize = 64;

const CORE_METRICS: &[&str] = &["ns a request", "ns of server processor time a request"];
const FAIR_METRICS: &[&str] = &[
    "ns from request to answer, median",
    "ns from request to answer, 99 %",
    "ns from request to answer, 99.9 %",
];

const fn served(
    name: &'static str,
    about: &'static str,
    metrics: &'static [&'static str],
) -> Scenario {
    Scenario {
        name,
        about,
        metrics,
        needs: &[Part::Tcp],
        weight: 1.0,
    }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    served(
        "cores-1",
        "1 loop computes 20 µs a request, 32 connections",
        CORE_METRICS,
    ),
    served(
        "cores-2",
        "2 loops do so, 16 connections each",
        CORE_METRICS,
    ),
    served("cores-4", "4 loops do so, 8 connections each", CORE_METRICS),
    served(
        "cores-2-imbalanced",
        "2 loops do so, 28 connections and 4",
        CORE_METRICS,
    ),
    served(
        "fair-task",
        "echo beside a task that never waits",
        FAIR_METRICS,
    ),
    served(
        "fair-tasks",
        "echo beside 1,000 tasks that never wait",
        FAIR_METRICS,
    ),
    served(
        "fair-flood",
        "echo beside 64 connections of 16 KiB messages",
        FAIR_METRICS,
    ),
];

pub(super) fn of<R: Runtime>() -> [(&'static str, Run); 7] {
    [
        ("cores-1", |work| cores::<R>(work, &[CONNECTIONS])),
        ("cores-2", |work| cores::<R>(work, &[16, 16])),
        ("cores-4", |work| cores::<R>(work, &[8, 8, 8, 8])),
        ("cores-2-imbalanced", |work| cores::<R>(work, &[28, 4])),
        ("fair-task", |work| beside_tasks::<R>(work, 1)),
        ("fair-tasks", |work| beside_tasks::<R>(work, 1_000)),
        ("fair-flood", beside_a_flood::<R>),
    ]
}

/// A loop a thread with so many connections each; a runtime of several threads
/// gets as many threads and all of the connections.
fn cores<R: Runtime>(work: &Work, shares: &[usize]) -> Answer {
    let setup = Setup {
        blocking: None,
        workers: Some(shares.len()),
    };
    let all = [shares.iter().sum()];
    let shares = if R::MULTI_THREAD { &all } else { shares };
    let mut servers = Vec::new();
    let mut addresses = Vec::new();
    for connections in shares {
        let echo = Echo {
            listener: listen(),
            connections: *connections,
            buffer: 4096,
            rounds: ROUNDS,
        };
        addresses.push((
            echo.listener.local_addr().expect("it is bound"),
            *connections,
        ));
        servers.push(server::<R>(setup, echo));
    }
    let mut client = Client::start(&load(work, Kind::Tcp, addresses, 64));
    let (report, used) = measured(&mut client, process_time);
    client.end();
    let echoed: u64 = servers.into_iter().map(joined).sum();
    assert_eq!(echoed, report.total * 64);
    let requests = report.requests as f64;
    Answer {
        figures: vec![
            report.nanos as f64 / requests,
            used.as_nanos() as f64 / requests,
        ],
        quantiles: report.quantiles,
    }
}

fn server<R: Runtime>(setup: Setup, echo: Echo) -> JoinHandle<io::Result<u64>> {
    thread::spawn(move || R::start(setup, async { R::echo_tcp(echo).await }))
}

fn joined(server: JoinHandle<io::Result<u64>>) -> u64 {
    let echoed = server.join().expect("a server ends with its client");
    echoed.expect("loopback does not fail")
}

fn beside_tasks<R: Runtime>(work: &Work, tasks: usize) -> Answer {
    let echo = Echo {
        listener: listen(),
        connections: 1,
        buffer: 4096,
        rounds: 0,
    };
    let servers = vec![(echo.listener.local_addr().expect("it is bound"), 1)];
    let server = Server::start(move || {
        R::start(Setup::default(), async move {
            let stop = Arc::new(AtomicBool::new(false));
            for _ in 0..tasks {
                let stop = stop.clone();
                drop(R::spawn(async move {
                    while !stop.load(Relaxed) {
                        R::yield_now().await;
                    }
                }));
            }
            let echoed = R::echo_tcp(echo).await;
            stop.store(true, Relaxed);
            echoed
        })
    });
    let mut client = Client::start(&load(work, Kind::Tcp, servers, 64));
    let report = client.run(|| ());
    client.end();
    assert_eq!(server.join(&report), report.total * 64);
    Answer {
        figures: report.latency,
        quantiles: report.quantiles,
    }
}

fn beside_a_flood<R: Runtime>(work: &Work) -> Answer {
    let echo = Echo {
        listener: listen(),
        connections: 1 + FLOOD,
        buffer: 16 * 1024,
        rounds: 0,
    };
    let address = echo.listener.local_addr().expect("it is bound");
    let server = Server::start(|| R::start(Setup::default(), async { R::echo_tcp(echo).await }));
    let mut quiet = Client::start(&load(work, Kind::Tcp, vec![(address, 1)], 64));
    // It begins before the other one and ends after it.
    let longer = Work {
        budget: work.budget * 2,
    };
    let large = 16 * 1024;
    let mut flood = Client::start(&load(&longer, Kind::Tcp, vec![(address, FLOOD)], large));
    let (report, flooded) = thread::scope(|scope| {
        let flooded = scope.spawn(|| flood.run(|| ()));
        let report = quiet.run(|| ());
        (report, flooded.join().expect("the flood ends"))
    });
    quiet.end();
    flood.end();
    let bytes = report.total * 64 + flooded.total * large as u64;
    assert_eq!(server.join(&report), bytes);
    Answer {
        figures: report.latency,
        quantiles: report.quantiles,
    }
}
