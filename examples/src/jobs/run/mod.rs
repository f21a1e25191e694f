//! Runs: what the actions do, how long they may take, and how they are stopped.

pub mod command;
pub mod digest;
pub mod output;
pub mod probe;
pub mod sql;
pub mod stop;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use polyloop::{gather, timeout};
use polyloop_bridge::channel::oneshot;
use polyloop_bridge::{OffloadError, ThreadPoolExecutor, run_in_executor};

use self::output::Output;
use self::stop::StopSignal;
use super::config::{Action, Probe};
use super::duration;
use super::model::{Outcome, Status};

/// What runs need of the service.
pub struct Tools {
    /// Threads that wait for processes, one each.
    pub commands: ThreadPoolExecutor,
    /// Threads that read files and make queries.
    pub files: ThreadPoolExecutor,
    /// Where the service itself is reached.
    pub own: SocketAddr,
    /// The run history, if it is a file.
    pub database: Option<PathBuf>,
}

/// Does what `action` says, on the running loop, for at most `limit`.
///
/// Sending to `cancel`, or dropping its sender, ends it early. However it ends,
/// its blocking part is told to, and its output up to then is kept.
///
/// # Cancel safety
///
/// Dropping the future orders the blocking part to stop and loses the outcome.
pub async fn execute(
    action: Action,
    limit: Duration,
    cancel: oneshot::Receiver<()>,
    tools: &Tools,
) -> Outcome {
    let (stop, signal) = match stop::order() {
        Ok(order) => order,
        Err(why) => return Outcome::new(Status::Failed, format!("no pipe: {why}\n")),
    };
    let is_probe = matches!(action, Action::Http(_));
    let mut work = pin!(perform(action, signal, tools));
    let interruption = pin!(timeout(limit, cancel));
    let status = match select(work.as_mut(), interruption).await {
        Either::Left((outcome, _)) => return outcome,
        Either::Right((Err(_elapsed), _)) => Status::Timeout,
        Either::Right((Ok(_asked_or_alone), _)) => Status::Cancelled,
    };
    drop(stop);
    let mut output = Output::default();
    // A probe lives on the loop: dropping it is stopping it.
    if !is_probe {
        match timeout(PATIENCE, work).await {
            Ok(outcome) => output.push(outcome.output.as_bytes()),
            Err(_elapsed) => output.line("it did not stop when told to"),
        }
    }
    output.line(&match status {
        Status::Timeout => format!("stopped after {}", duration::format(limit)),
        _ => "stopped on request".to_owned(),
    });
    Outcome::new(status, output.into_text())
}

async fn perform(action: Action, stop: StopSignal, tools: &Tools) -> Outcome {
    match action {
        Action::Command(argv) => {
            let job = move || command::run(&argv, &stop);
            run_in_executor(Some(&tools.commands), job)
                .await
                .unwrap_or_else(no_thread)
        }
        Action::Http(probe) => probe::run(&probe, tools.own).await,
        Action::Digest(patterns) => digests(patterns, stop, tools).await,
        Action::Sql { query, database } => {
            let Some(path) = database.or_else(|| tools.database.clone()) else {
                let reason = "the run history is in memory; state a `database` for this job\n";
                return Outcome::new(Status::Failed, reason);
            };
            let job = move || sql::run(&path, &query, &stop);
            run_in_executor(Some(&tools.files), job)
                .await
                .unwrap_or_else(no_thread)
        }
    }
}

/// Reads all files at the same time, as far as there are threads.
async fn digests(patterns: Vec<String>, stop: StopSignal, tools: &Tools) -> Outcome {
    let found = run_in_executor(Some(&tools.files), move || digest::find(&patterns)).await;
    let files = match found {
        Ok(Ok(files)) => files,
        Ok(Err(why)) => return Outcome::new(Status::Failed, format!("{why}\n")),
        Err(error) => return no_thread(error),
    };
    let sums = gather(files.iter().map(|path| {
        let (path, stop) = (path.clone(), stop.clone());
        run_in_executor(Some(&tools.files), move || digest::of_file(&path, &stop))
    }));
    let mut output = Output::default();
    let mut status = Status::Ok;
    for (path, sum) in files.iter().zip(sums.await) {
        let sum = sum.unwrap_or_else(|error| Err(error.to_string()));
        match sum {
            Ok(sum) => output.line(&format!("{sum}  {}", path.display())),
            Err(why) => {
                status = Status::Failed;
                output.line(&format!("{}: {why}", path.display()));
            }
        }
    }
    Outcome::new(status, output.into_text())
}

fn no_thread(error: OffloadError) -> Outcome {
    Outcome::new(Status::Failed, format!("{error}\n"))
}

/// How long a run may take to stop: what a process is given, and then some.
pub const PATIENCE: Duration = command::MERCY.saturating_add(Duration::from_secs(3));
