//! Echo servers in Python, asked by the client that asks all servers.

use super::{Flavour, python};
use crate::Echo;
use crate::scenario::Run;
use crate::scenario::serving::{SHAPES, serve_tcp, serve_udp};
use crate::work::{Answer, Work};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::str::FromStr;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) fn runs<L: Flavour>() -> [(&'static str, Run); 7] {
    [
        (SHAPES[0].0, |work| tcp::<L>(work, 0)),
        (SHAPES[1].0, |work| tcp::<L>(work, 1)),
        (SHAPES[2].0, |work| tcp::<L>(work, 2)),
        (SHAPES[3].0, |work| tcp::<L>(work, 3)),
        (SHAPES[4].0, |work| tcp::<L>(work, 4)),
        (SHAPES[5].0, |work| tcp::<L>(work, 5)),
        ("udp", udp::<L>),
    ]
}

fn tcp<L: Flavour>(work: &Work, shape: usize) -> Answer {
    let budget = work.budget;
    serve_tcp(work, shape, used, move |echo: Echo| {
        let fd = OwnedFd::from(echo.listener);
        serve(L::NAME, "serve-tcp", fd, echo.connections, budget)
    })
}

fn udp<L: Flavour>(work: &Work) -> Answer {
    let budget = work.budget;
    serve_udp(work, used, move |socket| {
        serve(L::NAME, "serve-udp", OwnedFd::from(socket), 0, budget)
    })
}

/// The server of this process, of which there is one.
static SERVER: Mutex<Option<Server>> = Mutex::new(None);

struct Server {
    pid: Pid,
    /// It has told its processor time once.
    asked: bool,
    /// What it tells.
    times: Receiver<Duration>,
}

/// Runs the server on this socket until its clients are gone: how many bytes
/// went back.
fn serve(
    flavour: &str,
    what: &str,
    socket: OwnedFd,
    connections: usize,
    budget: Duration,
) -> io::Result<u64> {
    let mut python = python(flavour, what, connections, budget);
    let mut child = python
        .stdin(Stdio::from(socket))
        .stdout(Stdio::piped())
        .spawn()?;
    // Its end of the socket is gone from here: a client finds nobody if the
    // child ends too early.
    drop(python);
    let mut prints = BufReader::new(child.stdout.take().expect("piped"));
    let (tell, times) = mpsc::channel();
    *lock() = Some(Server {
        pid: Pid::from_child(&child),
        asked: false,
        times,
    });
    // Two times, then the bytes.
    let mut numbers = [0; 3];
    for (place, number) in numbers.iter_mut().enumerate() {
        *number = next_number(&mut prints)?;
        if place < 2 {
            // Nobody hears it when the client has failed.
            let _ = tell.send(Duration::from_nanos(*number));
        }
    }
    let status = child.wait()?;
    match status.success() {
        true => Ok(numbers[2]),
        false => Err(io::Error::other(format!("python3 failed: {status}"))),
    }
}

fn next_number(prints: &mut impl BufRead) -> io::Result<u64> {
    let mut line = String::new();
    prints.read_line(&mut line)?;
    u64::from_str(line.trim_end()).map_err(io::Error::other)
}

/// The processor time that the server has used so far; it says so itself. Asked
/// twice: when its client begins to measure, and when that is over, which the
/// server knows by then or soon, as the client hangs up.
fn used() -> Duration {
    let mut server = lock();
    let server = server.as_mut().expect("it runs before its client does");
    if !server.asked {
        server.asked = true;
        kill_process(server.pid, Signal::USR1).expect("it has a client");
    }
    server.times.recv().expect("it answers, if it did not fail")
}

fn lock() -> MutexGuard<'static, Option<Server>> {
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}
