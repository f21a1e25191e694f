//! What it costs to have what does nothing: memory and processor time.

use super::serving::{listen, load};
use super::{Run, Scenario};
use crate::client::{Client, Kind};
use crate::runtime::{Part, Runtime, Setup};
use crate::work::{Answer, Work};
use crate::{Echo, process_time, raise_descriptor_limit, resident_bytes};
use std::future::pending;
use std::thread;
use std::time::Duration;

const TASKS: usize = 100_000;
const CONNECTIONS: usize = 1_000;
const LOOPS: usize = 4;
/// For loops to start and settle.
const SETTLE: Duration = Duration::from_millis(300);

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "idle-task",
        about: "memory of one of 100,000 tasks that wait",
        metrics: &["bytes a task"],
        needs: &[],
        weight: 0.5,
    },
    Scenario {
        name: "idle-connection",
        about: "memory of one of 1,000 echoing connections, its buffer of 64 bytes included",
        metrics: &["bytes a connection"],
        needs: &[Part::Tcp],
        weight: 0.5,
    },
    Scenario {
        name: "idle-loops",
        about: "4 loops that have nothing to do",
        metrics: &["ns of processor time in a second"],
        needs: &[],
        weight: 2.0,
    },
];

pub(super) fn of<R: Runtime>() -> [(&'static str, Run); 3] {
    [
        ("idle-task", tasks::<R>),
        ("idle-connection", connections::<R>),
        ("idle-loops", loops::<R>),
    ]
}

fn tasks<R: Runtime>(_work: &Work) -> Answer {
    R::start(Setup::default(), async {
        crowd::<R>(TASKS / 100).await;
        let before = resident();
        crowd::<R>(TASKS).await;
        let more = resident().saturating_sub(before);
        Answer::of([more as f64 / TASKS as f64])
    })
}

/// Tasks that have begun to wait.
async fn crowd<R: Runtime>(count: usize) {
    for _ in 0..count {
        drop(R::spawn(pending::<()>()));
    }
    for _ in 0..10 {
        R::yield_now().await;
    }
}

fn connections<R: Runtime>(work: &Work) -> Answer {
    raise_descriptor_limit();
    let listener = listen();
    let servers = vec![(listener.local_addr().expect("it is bound"), CONNECTIONS)];
    let echo = Echo {
        listener,
        connections: CONNECTIONS,
        buffer: 64,
        rounds: 0,
    };
    let server = thread::spawn(|| R::start(Setup::default(), async { R::echo_tcp(echo).await }));
    thread::sleep(SETTLE / 3);
    let before = resident();
    // Every connection has made a request when it has started.
    let mut client = Client::start(&load(work, Kind::Tcp, servers, 64));
    let more = resident().saturating_sub(before);
    let report = client.run(|| ());
    client.end();
    let echoed = server.join().expect("the server ends with its client");
    assert_eq!(echoed.expect("loopback does not fail"), report.total * 64);
    Answer::of([more as f64 / CONNECTIONS as f64])
}

fn resident() -> u64 {
    resident_bytes().expect("Linux says it")
}

fn loops<R: Runtime>(work: &Work) -> Answer {
    let setup = Setup {
        blocking: None,
        workers: Some(LOOPS),
    };
    let threads = if R::MULTI_THREAD { 1 } else { LOOPS };
    for _ in 0..threads {
        thread::spawn(move || R::start(setup, pending::<()>()));
    }
    thread::sleep(SETTLE);
    let before = process_time();
    thread::sleep(work.budget);
    let used = process_time().saturating_sub(before);
    Answer::of([used.as_nanos() as f64 / work.budget.as_secs_f64()])
}
