//! Every thread of the service but the first.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use polyloop_bridge::group::{Accept, Policy, TcpServer};
use polyloop_bridge::{LoopGroup, Shutdown, ThreadPoolExecutor};

use super::StartError;
use crate::jobs::http;
use crate::jobs::http::answer::Face;

/// The loops of the group, and the threads for what blocks.
pub struct Threads {
    /// Loops that run jobs and answer HTTP.
    pub group: LoopGroup,
    /// One thread: the run history's calls, in their order.
    pub history: ThreadPoolExecutor,
    /// Threads that wait for processes.
    pub commands: ThreadPoolExecutor,
    /// Threads for everything else that blocks, name look-ups among it.
    pub files: ThreadPoolExecutor,
}

impl Threads {
    /// Starts the loops; executors start their threads when there is work.
    ///
    /// # Errors
    ///
    /// The system refused a thread, or what a loop needs.
    pub fn start(loops: usize) -> Result<Self, StartError> {
        let files = pool("files", FILE_THREADS)?;
        let group = LoopGroup::builder()
            .loops(loops)
            .name("loop")
            .executor(files.clone())
            .build();
        Ok(Self {
            group: group.map_err(|why| {
                StartError::System("the loops", io::Error::other(why.to_string()))
            })?,
            history: pool("history", 1)?,
            commands: pool("command", COMMAND_THREADS)?,
            files,
        })
    }

    /// Serves HTTP on all loops.
    ///
    /// One listener, whose connections are dealt out: with a listener for each loop
    /// a second service could join in at the same address without being noticed.
    ///
    /// # Errors
    ///
    /// The address is taken, or not this machine's.
    pub fn listen(&self, address: SocketAddr, face: Arc<Face>) -> Result<TcpServer, StartError> {
        self.group
            .serve_tcp(
                address,
                Accept::HandOff(Policy::LeastLoaded),
                move |stream| http::serve(stream, Arc::clone(&face)),
            )
            .map_err(|why| StartError::Listen(address, why))
    }

    /// Ends them all; gives a line for each that did not end as it should.
    #[must_use]
    pub fn end(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let report = self.group.shutdown(MOMENT);
        if !report.is_complete() {
            remarks.push(report.to_string());
        }
        let how = Shutdown {
            timeout: Some(MOMENT),
            cancel_pending: true,
            ..Shutdown::default()
        };
        for pool in [&self.commands, &self.files, &self.history] {
            let report = pool.shutdown(how);
            if !report.is_complete() {
                remarks.push(report.to_string());
            }
        }
        remarks
    }
}

fn pool(name: &str, threads: usize) -> Result<ThreadPoolExecutor, StartError> {
    let builder = ThreadPoolExecutor::builder()
        .name(name)
        .max_workers(threads);
    builder
        .build()
        .map_err(|why| StartError::System("an executor", why))
}

/// What is left to do at the end takes no longer.
const MOMENT: Duration = Duration::from_secs(1);

/// Processes that are waited for at the same time; further runs wait for a thread.
const COMMAND_THREADS: usize = 64;

/// Files and queries that are read at the same time.
const FILE_THREADS: usize = 8;
