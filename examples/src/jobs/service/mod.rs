//! The service: one loop that schedules, N loops that run jobs and answer HTTP.

pub mod client;
pub mod clock;
pub mod desk;
pub mod history;
pub mod job;
pub mod lanes;
pub mod look;
pub mod report;
pub mod threads;

use std::fmt;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use polyloop::signal::{Signal, Signals};
use polyloop::{EventLoop, create_task, timeout};

use self::client::{DeskClient, Here};
use self::desk::Desk;
use self::history::History;
use self::job::{JobState, RECENT};
use self::lanes::Lanes;
use self::look::Pages;
use self::report::Report;
use self::threads::Threads;
use super::config::Config;
use super::http::answer::Face;
use super::run::{PATIENCE, Tools, command};
use super::store::{Store, StoreError, is_in_memory};

/// What a service is started with.
pub struct Options {
    /// The jobs.
    pub config: Config,
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Further names under which it is reached.
    pub names: Vec<String>,
    /// Loops that run jobs and answer HTTP.
    pub loops: usize,
    /// The file of the run history, or `:memory:`.
    pub database: PathBuf,
    /// How long runs may go on after the order to end.
    pub grace: Duration,
}

/// Why a service could not start.
#[derive(Debug)]
pub enum StartError {
    /// The address is taken, or not this machine's.
    Listen(SocketAddr, io::Error),
    /// The run history cannot be used.
    Database(PathBuf, StoreError),
    /// The system has no thread or descriptor for this.
    System(&'static str, io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, why) => {
                write!(
                    f,
                    "cannot listen at {address}: {why}; choose another with --listen"
                )
            }
            Self::Database(path, why) => write!(f, "{}: {why}", path.display()),
            Self::System(what, why) => write!(f, "{what}: {why}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Runs the service until Ctrl-C or SIGTERM, on this thread's loop and others.
///
/// # Errors
///
/// It could not start; nothing has run then.
pub fn run(options: Options) -> Result<Report, StartError> {
    let database = |why| StartError::Database(options.database.clone(), why);
    let store = Store::open(&options.database, options.config.history).map_err(database)?;
    let threads = Threads::start(options.loops)?;
    let scheduler = EventLoop::builder().name("scheduler").build();
    let mut scheduler = scheduler.map_err(|why| StartError::System("the scheduling loop", why))?;
    let report = scheduler
        .run_until_complete(serve(&options, store, &threads))
        .map_err(|why| StartError::System("the scheduling loop", io::Error::other(why)))?;
    scheduler.close(Duration::from_secs(1));
    let remarks = threads.end();
    report.map(|report| report.with_remarks(remarks))
}

/// Everything from the first start to the last row; runs on the scheduling loop.
async fn serve(options: &Options, store: Store, threads: &Threads) -> Result<Report, StartError> {
    let signals = Signals::new([Signal::INTERRUPT, Signal::TERMINATE]);
    let mut signals = signals.map_err(|why| StartError::System("signals", why))?;
    let interrupted = store.interrupted();
    let history = History::new(store, threads.history.clone());
    let jobs = jobs(&options.config, &history)
        .await
        .map_err(|why| StartError::Database(options.database.clone(), why))?;

    let face = Arc::new(Face {
        names: options.names.clone(),
        desk: DeskClient::new(),
        history: history.clone(),
    });
    let server = threads.listen(options.listen, face)?;
    // From here to the opening of the desk nothing waits: a question that has already
    // come over HTTP is asked on this loop after that.
    let own = server.local_addr();
    let in_memory = is_in_memory(&options.database);
    let tools = Arc::new(Tools {
        commands: threads.commands.clone(),
        files: threads.files.clone(),
        own: reachable(own),
        database: (!in_memory).then(|| options.database.clone()),
    });
    let lanes = Lanes::new(threads.group.clone());
    let desk = Desk::new(jobs, lanes, history, tools);
    let desk = Rc::new(desk.with_interrupted(interrupted));
    let pages = Rc::new(Pages::default());
    let _here = Here {
        desk: Rc::clone(&desk),
        pages: Rc::clone(&pages),
    }
    .open();
    let _feed = create_task(Rc::clone(&pages).feed(Rc::clone(&desk))).abort_on_drop();
    let _keepers: Vec<_> = (0..desk.jobs.len())
        .map(|job| create_task(Rc::clone(&desk).keep(job)).abort_on_drop())
        .collect();
    let (jobs, loops) = (desk.jobs.len(), options.loops);
    // A closed standard output is no reason not to run jobs.
    let line = format!("jobs: {jobs} jobs on {loops} loops, http://{own}/ (Ctrl-C ends)");
    let _ = writeln!(io::stdout(), "{line}");

    signals.recv().await;
    let _force = create_task(end_at_once(signals)).abort_on_drop();
    server.close();
    let report = end(&desk, options.grace).await;
    pages.close();
    Ok(report)
}

/// The second Ctrl-C: nobody waits any more, but no process is left behind.
async fn end_at_once(mut signals: Signals) {
    if signals.recv().await.is_none() {
        return;
    }
    eprintln!("jobs: ended at once; what was running will be shown as interrupted");
    command::kill_all();
    std::process::exit(130);
}

/// Lets the runs go on for `grace`, then asks them to stop.
async fn end(desk: &Rc<Desk>, grace: Duration) -> Report {
    desk.stop();
    let going_on = desk.jobs.iter().map(|job| job.running.get()).sum::<usize>();
    if going_on > 0 {
        let grace = super::duration::format(grace);
        eprintln!("jobs: ending; {going_on} runs have up to {grace} (Ctrl-C again ends at once)");
    }
    if timeout(grace, desk.quiet()).await.is_ok() {
        return Report::new(desk, 0, 0);
    }
    let cut_short = desk.cancel_all();
    // A little more than a run may take to stop: the end is written down then, too.
    let abandoned = match timeout(PATIENCE + Duration::from_secs(2), desk.quiet()).await {
        Ok(()) => 0,
        Err(_elapsed) => desk.jobs.iter().map(|job| job.running.get()).sum(),
    };
    Report::new(desk, cut_short, abandoned)
}

/// The jobs with what the page shows of former processes' runs.
async fn jobs(config: &Config, history: &History) -> Result<Vec<JobState>, StoreError> {
    let mut jobs = Vec::with_capacity(config.jobs.len());
    for job in &config.jobs {
        let former = history.runs(Some(job.name.clone()), RECENT).await?;
        jobs.push(JobState::new(job.clone(), &former));
    }
    Ok(jobs)
}

/// Where a client on this machine finds a listener at `own`.
fn reachable(own: SocketAddr) -> SocketAddr {
    match own.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, own.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, own.port()).into(),
        _ => own,
    }
}
