//! The same small programs, once in Python for asyncio and once here. Each says
//! what ran in which order, on a virtual clock; the two traces have to be equal,
//! or the Rust script's doc lines say why not: `/// adapted: reason`.

mod calls;
mod combining;
mod groups;
mod primitives;
mod queues;
mod tasks;
mod timing;

use futures::future::LocalBoxFuture;
use polyloop::time::VirtualClock;
use polyloop::{EventLoop, TaskError};
use polyloop_tests::conformance::{self, FOLDER};
use polyloop_tests::tidy::root;
use polyloop_tests::{require, require_that, with_watchdog};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A script's name and what it does.
type Script = (&'static str, fn(Say) -> LocalBoxFuture<'static, ()>);
type Traces = BTreeMap<String, Vec<String>>;

/// Lists the scripts of a file, by their functions' names.
macro_rules! scripts {
    ($($name:ident)*) => {
        pub const SCRIPTS: &[super::Script] =
            &[$((stringify!($name), |say| Box::pin($name(say)))),*];
    };
}
use scripts;

/// The trace that a script writes.
#[derive(Clone)]
struct Say {
    lines: Rc<RefCell<Vec<String>>>,
    began: Instant,
}

impl Say {
    fn line(&self, line: impl Display) {
        self.lines.borrow_mut().push(line.to_string());
    }

    /// A callback that says a line.
    fn later(&self, line: impl Display) -> Box<dyn FnOnce()> {
        let (say, line) = (self.clone(), line.to_string());
        Box::new(move || say.line(line))
    }

    /// Virtual milliseconds since the script began.
    fn ms(&self) -> u128 {
        (polyloop::time::now() - self.began).as_millis()
    }

    /// Says a line when it is dropped: what a `finally` does.
    fn at_the_end(&self, line: &'static str) -> AtTheEnd {
        AtTheEnd(self.clone(), line.to_owned())
    }
}

struct AtTheEnd(Say, String);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        self.0.line(&self.1);
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A truth as Python writes it.
fn py(truth: bool) -> &'static str {
    if truth { "True" } else { "False" }
}

fn outcome<T: Display>(result: Result<T, TaskError>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(error) if error.is_cancelled() => "cancelled".to_owned(),
        Err(error) => {
            let payload = error.into_panic().expect("not cancelled, so a panic");
            let text = payload.downcast_ref::<&str>().expect("a string");
            format!("failed: {text}")
        }
    }
}

fn trace_of(script: fn(Say) -> LocalBoxFuture<'static, ()>) -> Vec<String> {
    let say = Say {
        lines: Rc::default(),
        began: Instant::now(),
    };
    let handler = say.clone();
    let mut looped = EventLoop::builder()
        .clock(VirtualClock::new())
        .exception_handler(move |context| {
            handler.line(format!(
                "handler: {}",
                context.panic_message().unwrap_or("")
            ));
        })
        .build()
        .expect("descriptors to spare");
    let lines = say.lines.clone();
    let main = async {
        let began = polyloop::time::now();
        script(Say { began, ..say }).await;
    };
    looped.run_until_complete(main).expect("nobody stops it");
    // What the end of the loop makes of the rest is no part of the trace.
    lines.take()
}

fn here() -> Traces {
    let all = [
        calls::SCRIPTS,
        tasks::SCRIPTS,
        combining::SCRIPTS,
        groups::SCRIPTS,
        timing::SCRIPTS,
        primitives::SCRIPTS,
        queues::SCRIPTS,
    ];
    let all = all.into_iter().flatten();
    all.map(|&(name, script)| (name.to_owned(), trace_of(script)))
        .collect()
}

/// The traces of asyncio; `None` where there is no Python to ask.
fn asyncio() -> Option<Traces> {
    if !require("python3", "apt-get install python3") {
        return None;
    }
    let output = Command::new("python3")
        .args(["-B", "-X", "utf8", "driver.py"])
        .current_dir(root().join(FOLDER).join("differential"))
        .output()
        .expect("it was just found");
    let told = String::from_utf8_lossy(&output.stderr);
    let old = told.contains("needs Python 3.11");
    if !require_that(!old, "Python 3.11", "apt-get install python3") {
        return None;
    }
    assert!(output.status.success(), "the driver failed:\n{told}");
    let mut traces = Traces::new();
    let mut lines = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines().rev() {
        match line.strip_prefix("== ") {
            Some(name) => {
                lines.reverse();
                traces.insert(name.to_owned(), std::mem::take(&mut lines));
            }
            None => lines.push(line.to_owned()),
        }
    }
    Some(traces)
}

#[test]
fn traces_are_those_of_asyncio_or_documented_adaptations() {
    let Some(asyncio) = asyncio() else {
        return;
    };
    let here = with_watchdog(Duration::from_secs(120), here);
    let adapted: BTreeMap<_, _> = conformance::scripts().into_iter().collect();
    let mut complaints = Vec::new();
    for (name, ours) in &here {
        let Some(theirs) = asyncio.get(name) else {
            complaints.push(format!("{name}: there is no Python for it"));
            continue;
        };
        let reason = adapted.get(name).and_then(Option::as_deref);
        match (ours == theirs, reason) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(_)) => complaints.push(format!("{name}: equal after all")),
            (false, None) => complaints.push(format!(
                "{name}:\n  asyncio: {}\n  here:    {}",
                theirs.join(" | "),
                ours.join(" | ")
            )),
        }
    }
    for name in asyncio.keys().filter(|name| !here.contains_key(*name)) {
        complaints.push(format!("{name}: there is no Rust for it"));
    }
    assert!(here.len() >= 40);
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
