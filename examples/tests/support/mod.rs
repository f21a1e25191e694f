//! Drives the real `jobs` process: starts it, asks it over HTTP, ends it.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A running service with a folder of its own.
pub struct Service {
    pub address: SocketAddr,
    folder: Rc<TempDir>,
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
}

/// What a service left when it ended.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Service {
    /// Starts a service with this configuration in a new folder.
    pub fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// The same, with further arguments.
    pub fn start_with(config: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("jobs.toml"), config).expect("a file in it");
        Self::start_in(Rc::new(folder), arguments)
    }

    /// Starts a service with the jobs that it has built in.
    pub fn start_without_file() -> Self {
        Self::start_in(
            Rc::new(tempfile::tempdir().expect("a temporary folder")),
            &[],
        )
    }

    fn start_in(folder: Rc<TempDir>, arguments: &[&str]) -> Self {
        let mut child = command(&folder)
            .args(["--listen", "127.0.0.1:0", "--loops", "2"])
            .args(arguments)
            .spawn()
            .expect("the jobs program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut stderr = child.stderr.take().expect("piped");
        let mut line = String::new();
        stdout.read_line(&mut line).expect("its first line");
        let address = line
            .split_once("http://")
            .and_then(|(_, rest)| rest.split('/').next()?.parse().ok())
            .unwrap_or_else(|| {
                let _ = child.kill();
                panic!(
                    "no address in {line:?}: {}",
                    std::io::read_to_string(&mut stderr).unwrap()
                )
            });
        Self {
            address,
            folder,
            child,
            stdout,
            stderr,
        }
    }

    /// Kills the process as a power cut would, and starts another in its folder.
    pub fn kill_and_restart(mut self) -> Self {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
        Self::start_in(Rc::clone(&self.folder), &[])
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("jobs.db")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is our child");
    }

    /// Waits until it accepts no more connections.
    pub fn until_closed(&self) {
        let begin = Instant::now();
        while TcpStream::connect(self.address).is_ok() {
            assert!(begin.elapsed() < WATCHDOG, "it still accepts connections");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end, which the test has asked for.
    pub fn ended(mut self) -> (Ended, Rc<TempDir>) {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status;
            }
            if begin.elapsed() > WATCHDOG {
                let _ = self.child.kill();
                panic!("the service did not end");
            }
            thread::sleep(Duration::from_millis(10));
        };
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).expect("text");
        self.stderr.read_to_string(&mut stderr).expect("text");
        (
            Ended {
                status,
                stdout,
                stderr,
            },
            Rc::clone(&self.folder),
        )
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "")
    }

    pub fn post(&self, path: &str) -> Answer {
        self.request("POST", path, &[], "")
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path, &[], "")
    }

    /// One request on a connection of its own; a `Host` among `headers` replaces
    /// the right one.
    pub fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers
            .iter()
            .any(|header| header.to_ascii_lowercase().starts_with("host:"))
        {
            text += &format!("Host: {}\r\n", self.address);
        }
        for header in headers {
            text += &format!("{header}\r\n");
        }
        if !body.is_empty() {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        self.raw(&format!("{text}\r\n{body}"))
    }

    /// Sends a text as it is and reads what comes back.
    pub fn raw(&self, text: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream
            .set_read_timeout(Some(WATCHDOG))
            .expect("a plain option");
        // The answer may come, and the connection go, before all is sent.
        let _ = stream.write_all(text.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::parse(&bytes)
    }

    /// Asks again and again until the answer is as wished.
    pub fn until(&self, path: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let answer = self.get(path).json();
            if wished(&answer) {
                return answer;
            }
            assert!(begin.elapsed() < WATCHDOG, "{path} stays {answer:#}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a run has ended and returns its row.
    pub fn ended_run(&self, id: i64) -> Value {
        self.until(&format!("/api/runs/{id}"), |run| {
            run["status"] != "running" && run["status"] != "queued"
        })
    }

    /// Starts a job by hand and returns the run's number.
    pub fn run_now(&self, job: &str) -> i64 {
        let answer = self.post(&format!("/api/jobs/{job}/run"));
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.json()["id"].as_i64().expect("a number")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, about to be started in `folder`.
pub fn command(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobs"));
    command.current_dir(folder.path()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// An answer over HTTP.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .unwrap_or(0);
        Self {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|why| panic!("{why}: {}\n{}", self.head, self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// A job that only runs when told to, as far as a test can live.
pub fn by_hand(name: &str, rest: &str) -> String {
    format!("[[job]]\nname = \"{name}\"\nevery = \"1d\"\n{rest}\n")
}

/// No test waits for longer.
pub const WATCHDOG: Duration = Duration::from_secs(60);
