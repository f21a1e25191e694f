//! Starts the process, and talks to it.

use polyloop_tests::with_watchdog;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// No statement about speed: what takes longer than this hangs.
const WATCHDOG: Duration = Duration::from_secs(60);

pub struct Server {
    pub address: SocketAddr,
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kv"))
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the kv program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("its first line");
        let address = line.trim().strip_prefix("kv at ");
        let address = address.and_then(|address| address.parse().ok());
        Self {
            address: address.expect("its address"),
            child,
            stdout,
        }
    }

    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(WATCHDOG)).expect("a socket");
        Client {
            reader: BufReader::new(stream.try_clone().expect("a socket")),
            stream,
            output: Vec::new(),
        }
    }

    /// Ctrl-C, and what the process came to.
    pub fn interrupt(mut self) -> (ExitStatus, String) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it is our child");
        with_watchdog(WATCHDOG, move || {
            let mut output = String::new();
            self.stdout.read_to_string(&mut output).expect("text");
            (self.child.wait().expect("it is our child"), output)
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing stays behind, whatever became of the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Client {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    output: Vec<u8>,
}

impl Client {
    /// Adds a request to what the next flush sends.
    pub fn send(&mut self, words: &[&str]) {
        self.output
            .extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
        for word in words {
            self.output
                .extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
        }
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    pub fn flush(&mut self) {
        self.stream.write_all(&self.output).expect("it reads");
        self.output.clear();
    }

    /// One line of an answer.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("an answer");
        line
    }

    pub fn read(&mut self, length: usize) -> String {
        let mut answer = vec![0; length];
        self.reader.read_exact(&mut answer).expect("an answer");
        String::from_utf8(answer).expect("text")
    }

    /// The whole of an answer that is a line or a bulk string.
    pub fn ask(&mut self, words: &[&str]) -> String {
        self.send(words);
        self.flush();
        let line = self.line();
        match line.strip_prefix('$').map(|rest| rest.trim().parse()) {
            Some(Ok(length)) => {
                let length: usize = length;
                let rest = self.read(length + 2);
                line + &rest
            }
            _ => line,
        }
    }

    /// What a bulk string holds.
    pub fn bulk(&mut self, words: &[&str]) -> String {
        let answer = self.ask(words);
        let (_, text) = answer.split_once("\r\n").expect("a length first");
        text.to_owned()
    }

    /// Has the server closed the connection? Waits for it.
    pub fn is_over(&mut self) -> bool {
        // A reset is an end as well.
        matches!(self.reader.read(&mut [0]), Ok(0) | Err(_))
    }
}

/// Waits until it is true.
pub fn until(mut is_true: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(began.elapsed() < WATCHDOG, "it never came true");
        thread::sleep(Duration::from_millis(10));
    }
}
