//! Work from other threads, for runtimes that take none themselves: their users
//! give them one end of a channel, and a task that starts what comes out of it.

use crate::runtime::{Remote, Runtime, Setup};
use futures::channel::oneshot;
use std::ops::Range;
use std::pin::Pin;
use std::thread::{self, JoinHandle};

/// A runtime of this kind on a thread of its own, with such a channel.
pub fn remote<R: Runtime>() -> Box<dyn Remote> {
    let (jobs, inbox) = flume::unbounded::<Job>();
    let thread = thread::spawn(move || {
        R::start(Setup::default(), async move {
            while let Ok(job) = inbox.recv_async().await {
                // Nobody joins the task: its answer comes through the channel.
                drop(R::spawn(async move { job.answer.send(job.value) }));
            }
        });
    });
    Box::new(Mailbox { jobs, thread })
}

/// What is sent: a value, and where it is to be answered.
struct Job {
    value: u64,
    answer: oneshot::Sender<u64>,
}

struct Mailbox {
    jobs: flume::Sender<Job>,
    thread: JoinHandle<()>,
}

impl Mailbox {
    fn submit(&self, value: u64) -> oneshot::Receiver<u64> {
        let (answer, answered) = oneshot::channel();
        let sent = self.jobs.send(Job { value, answer });
        sent.expect("the runtime runs");
        answered
    }
}

impl Remote for Mailbox {
    fn round_trip(&self, value: u64) -> u64 {
        futures::executor::block_on(self.submit(value)).expect("the runtime runs")
    }

    fn batch(&self, values: Range<u64>) -> u64 {
        let pending: Vec<_> = values.map(|value| self.submit(value)).collect();
        futures::executor::block_on(async {
            let mut sum = 0;
            for answered in pending {
                sum += answered.await.expect("the runtime runs");
            }
            sum
        })
    }

    fn ask<'a>(
        &'a self,
        values: Range<u64>,
        answered: &'a mut dyn FnMut(u64),
    ) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            for value in values {
                answered(self.submit(value).await.expect("the runtime runs"));
            }
        })
    }

    fn stop(self: Box<Self>) {
        drop(self.jobs);
        self.thread.join().expect("the runtime ends in peace");
    }
}
