//! Nothing that is always ready starves anything else. The bounds are counted
//! in polls and operations, not in time.
#![forbid(unsafe_code)]

use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt};
use polyloop::net::{TcpListener, TcpStream};
use polyloop::{call_soon, coop, create_task, current_loop, interval, yield_if_needed, yield_now};
use polyloop_bridge::{call_soon_threadsafe, channel, run_coroutine_threadsafe, sync};
use polyloop_tests::with_watchdog;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

const HANG: Duration = Duration::from_secs(120);

/// Answers what one client sends, until it closes.
async fn echo_once(listener: TcpListener) -> std::io::Result<()> {
    let (mut stream, _) = listener.accept().await?;
    let mut bytes = [0; 64];
    loop {
        let count = stream.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&bytes[..count]).await?;
    }
}

/// Answers the longest of the rounds.
async fn echo_rounds(rounds: usize) -> std::io::Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = create_task(echo_once(listener));
    let mut client = TcpStream::connect(address).await?;
    let mut longest = Duration::ZERO;
    for round in 0..rounds {
        let began = Instant::now();
        let mut answer = [0; 8];
        client.write_all(&round.to_le_bytes()).await?;
        client.read_exact(&mut answer).await?;
        assert_eq!(answer, round.to_le_bytes());
        longest = longest.max(began.elapsed());
    }
    drop(client);
    server.await.expect("no panic")?;
    Ok(longest)
}

#[test]
fn a_self_waking_task_starves_no_socket_no_timer_and_no_arrival() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let polls = Rc::new(Cell::new(0u64));
            let counted = polls.clone();
            let spinner = create_task(async move {
                loop {
                    counted.set(counted.get() + 1);
                    yield_now().await;
                }
            });
            let ticks = create_task(async {
                let mut ticks = interval(Duration::from_millis(1));
                let mut latest = Duration::ZERO;
                for _ in 0..100 {
                    let due = ticks.tick().await;
                    latest = latest.max(due.elapsed());
                }
                latest
            });
            let here = current_loop();
            let other = thread::spawn(move || {
                for round in 0..50 {
                    let submitted = run_coroutine_threadsafe(&here, move || async move { round });
                    assert_eq!(submitted.result().expect("the loop runs"), round);
                }
            });
            let round = echo_rounds(200).await.expect("loopback works");
            let late = ticks.await.expect("no panic");
            while !other.is_finished() {
                yield_now().await;
            }
            other.join().expect("its assertions hold");
            assert!(spinner.cancel() && polls.get() > 0);
            // Figures for a reader; how busy the machine is decides them.
            println!(
                "beside {} polls of a self-waking task: longest echo round {round:?}, latest \
                 tick {late:?}",
                polls.get()
            );
        })
        .unwrap();
    });
}

/// Runs `flood` until `enough` says so, beside a task that notes how far
/// `count` moves between two of its own polls; answers the farthest.
async fn farthest_step(count: Rc<Cell<u64>>, enough: u64) -> u64 {
    let (mut farthest, mut before) = (0, count.get());
    while count.get() < enough {
        yield_now().await;
        farthest = farthest.max(count.get() - before);
        before = count.get();
    }
    farthest
}

#[test]
fn a_socket_that_always_has_data_gives_way_when_its_budget_is_spent() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let flood = thread::spawn(move || {
                use std::io::Write;
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                // Ends when the reader closes its side.
                while stream.write_all(&[7; 65_536]).is_ok() {}
            });
            let (stream, _) = listener.accept().unwrap();
            let mut stream = TcpStream::from_std(stream).unwrap();
            let reads = Rc::new(Cell::new(0));
            let counted = reads.clone();
            let reader = create_task(async move {
                let mut byte = [0; 1];
                while stream.read(&mut byte).await.is_ok_and(|count| count == 1) {
                    counted.set(counted.get() + 1);
                }
            });
            let farthest = farthest_step(reads, 20_000).await;
            // Data was there all the time, so some poll spent all of it.
            assert_eq!(farthest, coop::BUDGET);
            let _ = reader.cancel_and_wait().await;
            flood.join().unwrap();
        })
        .unwrap();
    });
}

#[test]
fn a_channel_that_always_has_a_value_gives_way_when_its_budget_is_spent() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let (sender, receiver) = channel::unbounded();
            for value in 0..10_000 {
                sender.try_send(value).unwrap();
            }
            let received = Rc::new(Cell::new(0));
            let counted = received.clone();
            drop(create_task(async move {
                while receiver.recv().await.is_ok() {
                    counted.set(counted.get() + 1);
                }
            }));
            assert_eq!(farthest_step(received, 10_000).await, coop::BUDGET);
        })
        .unwrap();
    });
}

#[test]
fn yield_if_needed_gives_way_once_a_budget() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let rounds = Rc::new(Cell::new(0));
            let counted = rounds.clone();
            drop(create_task(async move {
                loop {
                    counted.set(counted.get() + 1);
                    yield_if_needed().await;
                }
            }));
            // The round at which it gives way has been counted, and not paid for.
            let farthest = farthest_step(rounds, 10_000).await;
            assert!(farthest <= coop::BUDGET + 1, "{farthest}");
            assert!(farthest >= coop::BUDGET, "{farthest}");
        })
        .unwrap();
    });
}

#[test]
fn a_flood_of_callbacks_lets_each_task_run_once_a_turn() {
    fn again(count: Rc<Cell<u64>>) {
        count.set(count.get() + 1);
        drop(call_soon(move || again(count)));
    }
    with_watchdog(HANG, || {
        polyloop::run(async {
            let calls = Rc::new(Cell::new(0));
            for _ in 0..500 {
                let calls = calls.clone();
                drop(call_soon(move || again(calls)));
            }
            assert_eq!(farthest_step(calls, 100_000).await, 500);
            echo_rounds(20).await.expect("loopback works");
        })
        .unwrap();
    });
}

/// Callbacks from another thread that wait at a time.
const FLOOD: usize = 10_000;

#[test]
fn a_flood_from_another_thread_starves_neither_sockets_nor_tasks() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let here = current_loop();
            let stop = Arc::new(AtomicBool::new(false));
            let stopped = stop.clone();
            let waiting = Arc::new(AtomicUsize::new(0));
            let flood = thread::spawn(move || {
                let mut sent = 0u64;
                while !stopped.load(SeqCst) {
                    // A mailbox has no bound of its own: a sender that is faster
                    // than the loop would fill the memory, not starve anybody.
                    if waiting.load(SeqCst) >= FLOOD {
                        thread::yield_now();
                        continue;
                    }
                    waiting.fetch_add(1, SeqCst);
                    let done = waiting.clone();
                    let call = move || {
                        done.fetch_sub(1, SeqCst);
                    };
                    drop(call_soon_threadsafe(&here, call).expect("the loop runs"));
                    sent += 1;
                }
                sent
            });
            echo_rounds(100).await.expect("loopback works");
            let mut ticks = interval(Duration::from_millis(1));
            for _ in 0..10 {
                ticks.tick().await;
            }
            stop.store(true, SeqCst);
            assert!(flood.join().expect("no panic") > 0);
        })
        .unwrap();
    });
}

/// How often a task, for which it is always ready, does `step` in its first turn.
async fn in_one_turn(mut step: impl AsyncFnMut() + 'static) -> u64 {
    let count = Rc::new(Cell::new(0));
    let counted = count.clone();
    drop(create_task(async move {
        for _ in 0..5_000 {
            step().await;
            counted.set(counted.get() + 1);
        }
    }));
    while count.get() == 0 {
        yield_now().await;
    }
    count.get()
}

#[test]
fn no_channel_that_is_always_ready_holds_its_loop() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let (sender, receiver) = channel::bounded(10_000);
            let mut sink = sender.clone().into_sink();
            let mut steps = vec![
                in_one_turn(async move || sender.send(1).await.unwrap()).await,
                in_one_turn(async move || sink.feed(2).await.unwrap()).await,
            ];
            let mut stream = receiver.clone();
            let mut batch = Vec::new();
            steps.extend([
                in_one_turn(async move || {
                    stream.next().await.unwrap();
                })
                .await,
                in_one_turn(async move || {
                    receiver.recv_many(&mut batch, 1).await.unwrap();
                })
                .await,
            ]);
            let (sender, mut receiver) = channel::broadcast::channel(10_000);
            for n in 0..10_000 {
                sender.send(n).unwrap();
            }
            let mut stream = receiver.clone();
            steps.extend([
                in_one_turn(async move || {
                    receiver.recv().await.unwrap();
                })
                .await,
                in_one_turn(async move || {
                    stream.next().await.unwrap().unwrap();
                })
                .await,
            ]);
            let (sender, mut receiver) = channel::watch::channel(0);
            let again = async move || {
                sender.send(1).unwrap();
                receiver.changed().await.unwrap();
            };
            steps.push(in_one_turn(again).await);
            let queue = Arc::new(sync::Queue::new(0));
            let puts = queue.clone();
            steps.extend([
                in_one_turn(async move || puts.put(1).await.unwrap()).await,
                in_one_turn(async move || {
                    queue.get().await.unwrap();
                })
                .await,
            ]);
            assert_eq!(steps, vec![coop::BUDGET; steps.len()]);
        })
        .unwrap();
    });
}

#[test]
fn outside_of_a_loop_the_budget_never_ends() {
    for _ in 0..10 * coop::BUDGET {
        coop::made_progress();
    }
    assert!(coop::has_budget());
    // A poll that spent its budget leaves nothing of that behind.
    polyloop::run(async {
        for _ in 0..coop::BUDGET {
            coop::made_progress();
        }
        assert!(!coop::has_budget());
    })
    .unwrap();
    assert!(coop::has_budget());
}
