//! Groups of loops at their end: no drop waits for ever, nobody is left behind,
//! and a process may end while they run.
#![forbid(unsafe_code)]

use parking_lot::Mutex;
use polyloop_bridge::channel::oneshot;
use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};
use polyloop_tests::with_watchdog;
use std::future::pending;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const HANG: Duration = Duration::from_secs(240);
const GRACE: Duration = Duration::from_secs(20);

fn group(loops: usize) -> LoopGroup {
    let group = LoopGroup::builder().loops(loops).build();
    group.expect("threads and loops")
}

/// In its drop it tells its friend, and waits to hear from it.
struct Friend {
    first: bool,
    tell: Option<oneshot::Sender<u32>>,
    told: Option<oneshot::Receiver<u32>>,
    heard: Arc<AtomicUsize>,
}

impl Friend {
    fn tell(&mut self) {
        if let Some(tell) = self.tell.take() {
            let _ = tell.send(7);
        }
    }

    fn wait(&mut self) {
        if let Some(told) = self.told.take() {
            assert_eq!(told.recv_blocking(), Ok(7));
            self.heard.fetch_add(1, SeqCst);
        }
    }
}

impl Drop for Friend {
    fn drop(&mut self) {
        if self.first {
            self.tell();
            self.wait();
        } else {
            self.wait();
            self.tell();
        }
    }
}

#[test]
fn trap_063_drops_that_wait_for_drops_on_another_loop_end_in_both_orders() {
    for order in [false, true] {
        with_watchdog(HANG, || {
            let group = group(2);
            let heard = Arc::new(AtomicUsize::new(0));
            let (tell_one, told_one) = oneshot::channel();
            let (tell_other, told_other) = oneshot::channel();
            let mut friends = vec![
                Friend {
                    first: order,
                    tell: Some(tell_one),
                    told: Some(told_other),
                    heard: heard.clone(),
                },
                Friend {
                    first: !order,
                    tell: Some(tell_other),
                    told: Some(told_one),
                    heard: heard.clone(),
                },
            ];
            for handle in group.iter() {
                let friend = friends.pop();
                let begun = run_coroutine_threadsafe(handle, move || async move {
                    drop(polyloop::create_task(async move {
                        let _friend = friend;
                        pending::<()>().await;
                    }));
                });
                begun.result().expect("it begins");
                let turned = run_coroutine_threadsafe(handle, polyloop::yield_now);
                turned.result().expect("it turns");
            }
            let report = group.shutdown(GRACE);
            assert!(report.is_complete(), "{report}");
            assert_eq!(heard.load(SeqCst), 2);
        });
    }
}

/// Sends work to every loop of the group when it is dropped.
struct Sends(Arc<Mutex<Option<LoopGroup>>>, Arc<AtomicUsize>);

impl Drop for Sends {
    fn drop(&mut self) {
        let group = self.0.lock().clone();
        for handle in group.iter().flat_map(LoopGroup::iter) {
            let sent = run_coroutine_threadsafe(handle, || async {
                let _stays = Rc::new(());
                polyloop::yield_now().await;
            });
            let answered = self.1.clone();
            sent.add_done_callback(move || {
                answered.fetch_add(1, SeqCst);
            });
        }
    }
}

#[test]
fn trap_063_work_that_drops_send_during_the_shutdown_is_answered() {
    with_watchdog(HANG, || {
        for _ in 0..50 {
            let group = group(3);
            let (shared, answered) = <(Arc<Mutex<_>>, Arc<AtomicUsize>)>::default();
            *shared.lock() = Some(group.clone());
            for handle in group.iter() {
                let sends = Sends(shared.clone(), answered.clone());
                drop(run_coroutine_threadsafe(handle, move || async move {
                    let _sends = sends;
                    pending::<()>().await;
                }));
            }
            assert!(group.barrier_all().results().iter().all(Result::is_ok));
            let report = group.shutdown(GRACE);
            assert_eq!(report.stuck().count(), 0, "{report}");
            assert_eq!(answered.load(SeqCst), 9, "each drop sent three");
            // The cycle of the group and its own tasks ends here.
            shared.lock().take();
        }
    });
}

#[test]
fn trap_071_a_process_ends_while_its_loops_run() {
    for how in ["return", "exit"] {
        for _ in 0..10 {
            let exits = Command::new(env!("CARGO_BIN_EXE_exits")).arg(how).output();
            let exits = exits.expect("it was built with this test");
            let said = String::from_utf8_lossy(&exits.stderr);
            assert!(exits.status.success(), "{how}: {}: {said}", exits.status);
            assert!(said.is_empty(), "{how}: {said}");
        }
    }
}
