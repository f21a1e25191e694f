//! What a program sees of its loop at work (hooks, debug mode), and the
//! disorder it can ask for.
#![forbid(unsafe_code)]

use polyloop::{EventLoop, Hooks, TaskInfo, call_soon, create_task, sleep, task, yield_now};
use polyloop_tests::with_watchdog;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(120);

type Trace = Rc<RefCell<Vec<String>>>;

struct Note(Trace);

impl Note {
    fn note(&self, what: &str, task: &TaskInfo) {
        if let Some(name) = &task.name {
            self.0.borrow_mut().push(format!("{what} {name}"));
        }
    }
}

impl Hooks for Note {
    fn spawned(&self, task: &TaskInfo) {
        assert!(task.location.file().ends_with("loop_watch.rs"));
        self.0.borrow_mut().push("spawned".into());
    }
    fn before_poll(&self, task: &TaskInfo) {
        self.note("before", task);
    }
    fn after_poll(&self, task: &TaskInfo) {
        self.note("after", task);
    }
    fn before_park(&self) {
        self.0.borrow_mut().push("park".into());
    }
    fn after_park(&self) {
        self.0.borrow_mut().push("unpark".into());
    }
}

#[test]
fn hooks_are_told_of_spawns_polls_and_parks_in_order() {
    with_watchdog(HANG, || {
        let seen = Trace::default();
        let builder = EventLoop::builder().hooks(Note(seen.clone()));
        let mut looped = builder.busy_poll(Duration::ZERO).build().unwrap();
        let inside = seen.clone();
        looped
            .run_until_complete(async move {
                let note = move || inside.borrow_mut().push("runs".into());
                let child = task().name("child").start(|| async move {
                    note();
                    yield_now().await;
                });
                child.await.unwrap();
                sleep(Duration::from_millis(5)).await;
            })
            .unwrap();
        let mut seen = seen.take();
        // A sleep may take more than one park.
        seen.dedup_by(|a, b| a == "park" && b == "unpark");
        let parked = seen.split_off(8);
        assert_eq!(
            seen,
            [
                "spawned",
                "spawned",
                "before child",
                "runs",
                "after child",
                "before child",
                "after child",
                "park"
            ]
        );
        assert_eq!(parked.last().map(String::as_str), Some("unpark"));
    });
}

#[test]
fn a_panicking_hook_is_told_to_the_exception_handler() {
    struct Broken;
    impl Hooks for Broken {
        fn after_poll(&self, _: &TaskInfo) {
            panic!("broken hook");
        }
    }
    with_watchdog(HANG, || {
        let told = Trace::default();
        let inside = told.clone();
        let builder = EventLoop::builder().hooks(Broken);
        let builder = builder.exception_handler(move |context| {
            let message = context.panic_message().unwrap_or_default().to_owned();
            inside.borrow_mut().push(message);
        });
        let mut looped = builder.build().unwrap();
        assert_eq!(looped.run_until_complete(async { 7 }).unwrap(), 7);
        assert_eq!(told.take(), ["broken hook"]);
    });
}

#[test]
fn debug_mode_names_the_slow_task_its_place_and_how_long_it_took() {
    with_watchdog(HANG, || {
        let told = Trace::default();
        let inside = told.clone();
        let builder = EventLoop::builder()
            .debug(true)
            .slow_callback(Duration::ZERO);
        let builder = builder.exception_handler(move |context| {
            inside.borrow_mut().push(context.to_string());
        });
        let mut looped = builder.build().unwrap();
        let main = async { task().name("slow one").start(|| async {}).await };
        looped.run_until_complete(main).unwrap().unwrap();
        let told = told.take();
        let slow = told.iter().find(|line| line.contains("slow one"));
        let slow = slow.expect("every poll counts as slow");
        assert!(slow.contains("held the loop up for"), "{slow}");
        assert!(slow.contains("loop_watch.rs"), "{slow}");
    });
}

/// The order in which ten callbacks and tasks run under a seed.
fn order_under(seed: u64) -> Vec<usize> {
    let builder = EventLoop::builder().shuffle(seed);
    let mut looped = builder.build().unwrap();
    let order = Rc::new(RefCell::new(Vec::new()));
    let inside = order.clone();
    looped
        .run_until_complete(async move {
            for number in 0..10 {
                let order = inside.clone();
                let note = move || order.borrow_mut().push(number);
                if number % 2 == 0 {
                    drop(call_soon(note));
                } else {
                    drop(create_task(async move { note() }));
                }
            }
            yield_now().await;
            yield_now().await;
        })
        .unwrap();
    order.take()
}

#[test]
fn trap_069_a_seed_decides_the_order_and_nothing_is_lost() {
    with_watchdog(HANG, || {
        let orders: Vec<_> = (0..20).map(order_under).collect();
        for (seed, order) in orders.iter().enumerate() {
            assert_eq!(*order, order_under(seed as u64), "the same seed again");
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        }
        assert!(orders.iter().any(|order| *order != orders[0]));
    });
}

/// trap_069: a mistake at shutdown that an orderly queue hides. Tasks that own
/// and wake each other are closed in every order that hundreds of seeds make.
#[test]
fn trap_069_shutdown_in_disorder() {
    with_watchdog(HANG, || {
        for seed in 0..300 {
            let looped = EventLoop::builder().shuffle(seed).build().unwrap();
            let mut previous: Option<polyloop::AbortOnDrop<()>> = None;
            for depth in 0..20 {
                let owned = previous.take();
                let task = looped.create_task(async move {
                    for _ in 0..depth % 3 {
                        yield_now().await;
                    }
                    if let Some(owned) = owned {
                        let _ = owned.await;
                    }
                    std::future::pending().await
                });
                previous = Some(task.abort_on_drop());
            }
            let mut looped = looped;
            for _ in 0..seed % 5 {
                looped.turn(Some(Duration::ZERO)).unwrap();
            }
            let report = looped.close(Duration::from_secs(60));
            assert_eq!(report.cancelled, 20, "seed {seed}");
            assert!(report.unfinished.is_empty(), "seed {seed}");
            // The handle outlives its loop, and its drop finds the cell.
            drop(previous);
        }
    });
}
