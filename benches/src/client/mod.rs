//! The client of every server: a process of its own, bare mio, the same for all.
//!
//! The measuring process starts it and talks with it over its pipes: the client
//! connects, has every connection make one request, and says `ready`; is told
//! `go`; says `measuring` when the warm-up is over; and ends with a report.

mod load;
mod wire;

pub use load::{Kind, Load, Report};

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

/// The first argument of a client's process.
pub const CLIENT: &str = "__client";

/// The client's process: `load` is what [`Client::start`] was given.
pub fn main(load: &str) -> ExitCode {
    let Ok(load) = serde_json::from_str::<Load>(load) else {
        eprintln!("{CLIENT} is given a load");
        return ExitCode::from(2);
    };
    match load.run() {
        Ok(report) => {
            say(&serde_json::to_string(&report).expect("plain data"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the client: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One line to whoever started the client; nobody is left to tell when that
/// has ended.
fn say(line: &str) {
    let mut out = io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A client's process, from outside.
#[derive(Debug)]
pub struct Client {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Client {
    /// Starts it, and waits until every connection has made a request.
    ///
    /// # Panics
    /// As all of these, if the client ends too early; it has said why.
    pub fn start(load: &Load) -> Self {
        let program = std::env::current_exe().expect("the system knows what it runs");
        let load = serde_json::to_string(load).expect("plain data");
        let mut child = Command::new(program)
            .args([CLIENT, &load])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("this program starts once more");
        let to = child.stdin.take().expect("piped");
        let from = BufReader::new(child.stdout.take().expect("piped"));
        let mut client = Self { child, to, from };
        assert_eq!(client.line(), "ready", "the client connects");
        client
    }

    /// Lets it work; `measuring` is called when its warm-up is over.
    pub fn run(&mut self, measuring: impl FnOnce()) -> Report {
        writeln!(self.to, "go").expect("the client waits for it");
        assert_eq!(self.line(), "measuring", "the client warms up");
        measuring();
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the client failed: {line}"))
    }

    /// Ends it: its connections are closed.
    pub fn end(mut self) {
        drop(self.to);
        let status = self.child.wait().expect("it is our child");
        assert!(status.success(), "the client found a wrong answer");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.from
            .read_line(&mut line)
            .expect("the client writes text");
        line.trim_end().to_owned()
    }
}
