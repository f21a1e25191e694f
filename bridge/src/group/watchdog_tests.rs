use super::tests::GRACE;
use super::*;
use crate::channel::{self, oneshot};
use polyloop::{Driver, Event, Unpark, Wait};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

/// More than a loop of an overloaded machine is kept from running.
const STUCK_AFTER: Duration = Duration::from_secs(3);

fn name_on(handle: &LoopHandle) -> String {
    let name = || async { polyloop::current_loop().name().to_owned() };
    let name = run_coroutine_threadsafe(handle, name).result();
    name.expect("a value")
}

/// A watchdog that tells this channel.
fn watchdog(replace: usize) -> (Watchdog, channel::Receiver<Incident>) {
    let (tell, told) = channel::unbounded();
    let tell_copy = move |incident: &Incident| {
        let copy = Incident {
            number: incident.number,
            name: incident.name.clone(),
            what: match &incident.what {
                What::Stuck(time) => What::Stuck(*time),
                What::Recovered => What::Recovered,
                What::Failed(report) => What::Failed(report.clone()),
            },
            replacement: incident.replacement.as_ref().map(|r| {
                assert!(r.is_ok(), "{incident}");
                Ok(())
            }),
        };
        let _ = tell.try_send(copy);
        panic!("a hook that panics is no obstacle");
    };
    let watchdog = Watchdog::new()
        .stuck_after(STUCK_AFTER)
        .replace(replace)
        .on_incident(tell_copy);
    (watchdog, told)
}

/// Blocks the loop until the sender is dropped; returns when it is blocked.
fn block(handle: &LoopHandle) -> oneshot::Sender<()> {
    let (release, released) = oneshot::channel::<()>();
    let (begun, begins) = oneshot::channel();
    drop(run_coroutine_threadsafe(handle, move || async move {
        let _ = begun.send(());
        let _ = released.recv_blocking();
    }));
    begins.recv_blocking().expect("it begins");
    release
}

#[test]
fn a_stuck_loop_is_told_of_and_so_is_its_recovery() {
    let (watchdog, told) = watchdog(0);
    let group = LoopGroup::builder().loops(2).watchdog(watchdog).build();
    let group = group.expect("threads and loops");
    let release = block(group.handle(1));
    let incident = told.recv_blocking().expect("it is told");
    assert!(incident.is_stuck() && incident.number == 1, "{incident}");
    assert!(incident.replacement.is_none());
    drop(release);
    let incident = told.recv_blocking().expect("it is told");
    assert!(incident.is_recovered() && incident.name == "loop-1");
    assert_eq!(name_on(group.handle(1)), "loop-1");
    assert!(group.shutdown(GRACE).is_complete());
}

#[test]
fn a_stuck_loop_is_replaced_and_what_it_had_is_answered() {
    let (watchdog, told) = watchdog(1);
    let group = LoopGroup::builder().loops(2).watchdog(watchdog).build();
    let group = group.expect("threads and loops");
    let old = group.handle(1).clone();
    let release = block(&old);
    let waiting = run_coroutine_threadsafe(&old, || async {});
    let incident = told.recv_blocking().expect("it is told");
    assert!(incident.is_stuck() && incident.number == 1, "{incident}");
    assert!(matches!(incident.replacement, Some(Ok(()))));
    assert_ne!(*group.handle(1), old);
    assert_eq!(name_on(group.handle(1)), "loop-1");
    assert_eq!((group.len(), group.numbers()), (2, vec![0, 1]));
    drop(release);
    // Run, or refused at its end: answered in any case.
    let _ = waiting.result();
    // There is no second replacement.
    let release = block(group.handle(1));
    let incident = told.recv_blocking().expect("it is told");
    assert!(incident.is_stuck() && incident.replacement.is_none());
    drop(release);
    let report = group.shutdown(GRACE);
    assert_eq!(report.loops.len(), 3, "{report}");
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_replacement_that_could_not_be_had_is_tried_again() {
    let (tell, told) = channel::unbounded();
    let starts = Arc::new(AtomicUsize::new(0));
    let count = starts.clone();
    let watchdog = Watchdog::new()
        .stuck_after(Duration::from_millis(50))
        .replace(1)
        .on_incident(move |incident| {
            let replaced = incident.replacement.as_ref().map(Result::is_ok);
            let _ = tell.try_send((incident.number, replaced));
        });
    let group = LoopGroup::builder()
        .loops(1)
        .watchdog(watchdog)
        .on_start(move |_| assert!(![1, 2].contains(&count.fetch_add(1, SeqCst))))
        .build()
        .expect("the first start works");
    let release = block(group.handle(0));
    let incidents: Vec<_> = (0..3).map(|_| told.recv_blocking()).collect();
    let tried = [false, false, true].map(|replaced| Ok((0, Some(replaced))));
    assert_eq!(incidents, tried);
    assert_eq!(name_on(group.handle(0)), "loop-0");
    drop(release);
    assert!(group.shutdown(GRACE).is_complete());
}

#[test]
fn loops_that_work_or_were_stopped_have_not_failed() {
    let (watchdog, told) = watchdog(0);
    let watchdog = watchdog.stuck_after(Duration::from_millis(20));
    let group = LoopGroup::builder().loops(3).watchdog(watchdog).build();
    let group = group.expect("threads and loops");
    let working = run_coroutine_threadsafe(group.handle(0), || async {
        let until = Instant::now() + Duration::from_millis(300);
        while Instant::now() < until {
            polyloop::yield_now().await;
        }
    });
    let slow = run_coroutine_threadsafe(group.handle(1), || async {
        // Short blocks, each far below the limit on a machine that is not
        // overloaded; told of, they would be told as recovered too.
        for _ in 0..30 {
            thread::sleep(Duration::from_millis(1));
            polyloop::yield_now().await;
        }
    });
    working.result().expect("a value");
    slow.result().expect("a value");
    group.handle(2).stop();
    while !group.handle(2).is_closed() {
        thread::yield_now();
    }
    let report = group.shutdown(GRACE);
    assert!(report.is_complete(), "{report}");
    drop(group);
    // Whatever an overloaded machine was told of, nobody has failed.
    while let Ok(incident) = told.try_recv() {
        assert!(!incident.is_failed(), "{incident}");
    }
}

/// Sleeps until it is broken; then every wait is an error.
struct Breakable(Arc<AtomicBool>);

struct Nobody;

impl Unpark for Nobody {
    fn unpark(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Driver for Breakable {
    fn wait(&mut self, _wait: Wait, _sink: &mut dyn FnMut(Event)) -> io::Result<()> {
        thread::sleep(Duration::from_millis(1));
        match self.0.load(SeqCst) {
            true => Err(io::Error::other("broken")),
            false => Ok(()),
        }
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        Arc::new(Nobody)
    }

    fn registry(&self) -> io::Result<Option<mio::Registry>> {
        Ok(None)
    }
}

#[test]
fn a_loop_that_fails_is_told_of_and_replaced() {
    let (watchdog, told) = watchdog(1);
    let (broken, made) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let switch = broken.clone();
    let group = LoopGroup::builder()
        .loops(2)
        .watchdog(watchdog)
        .configure(move |number, builder| match number {
            // The first loop of this number only.
            1 if made.fetch_add(1, SeqCst) == 0 => builder.driver(Breakable(switch.clone())),
            _ => builder,
        })
        .build()
        .expect("threads and loops");
    broken.store(true, SeqCst);
    let incident = told.recv_blocking().expect("it is told");
    assert!(incident.is_failed() && incident.number == 1, "{incident}");
    assert!(
        incident.to_string().contains("could not wait"),
        "{incident}"
    );
    assert_eq!(name_on(group.handle(1)), "loop-1");
    let report = group.shutdown(GRACE);
    assert_eq!(report.loops.len(), 3);
    assert!(report.loops[1].error.is_some(), "{report}");
}
