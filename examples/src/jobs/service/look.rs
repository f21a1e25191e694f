//! What the desk shows: a status on request, and the same pushed to open pages.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use hyper::body::Bytes;
use polyloop::{sleep, timeout};
use polyloop_bridge::channel::{Receiver, Sender, bounded};

use super::desk::Desk;
use super::lanes::SAMPLE_EVERY;
use crate::jobs::http::view::StatusView;
use crate::jobs::model::now_ms;

impl Desk {
    /// Everything at this moment.
    pub async fn status(&self) -> StatusView {
        self.lanes.sample().await;
        let elapsed = self.origin.elapsed();
        let next_ms = |job: &super::job::JobState| {
            let next = job.schedule.borrow().next_at();
            // A start that is being made this very moment counts as now.
            (!self.is_stopping()).then(|| self.origin.wall_ms(next.max(elapsed)))
        };
        StatusView {
            now_ms: now_ms(),
            started_ms: self.origin.unix_ms(),
            stopping: self.is_stopping(),
            interrupted: self.interrupted,
            jobs: self.jobs.iter().map(|job| job.view(next_ms(job))).collect(),
            loops: self.lanes.view(),
        }
    }
}

/// The pages that are open. It lives on the scheduling loop.
#[derive(Default)]
pub struct Pages(RefCell<Vec<Sender<Bytes>>>);

impl Pages {
    /// Messages for one more page; `None` when there are as many as allowed.
    pub fn open(&self) -> Option<Receiver<Bytes>> {
        let mut pages = self.0.borrow_mut();
        pages.retain(|page| !page.is_closed());
        if pages.len() >= MAX_PAGES {
            return None;
        }
        let (sender, receiver) = bounded(BEHIND);
        pages.push(sender);
        Some(receiver)
    }

    /// Sends every open page the status, soon after each change and each second.
    ///
    /// One text for all pages; one that does not keep up misses some and then gets
    /// a newer one. Without a page nothing is done.
    pub async fn feed(self: Rc<Self>, desk: Rc<Desk>) {
        loop {
            // Either way it is time for a message.
            let _ = timeout(SAMPLE_EVERY, desk.changed.wait()).await;
            desk.changed.clear();
            if self.is_empty() {
                desk.changed.wait().await;
                continue;
            }
            let message = message(&desk.status().await);
            // Taken out for the while: sending wakes, and waking is not for under a borrow.
            let pages = self.0.take();
            for page in &pages {
                let _ = page.try_send(message.clone());
            }
            self.0.replace(pages);
            sleep(APART).await;
        }
    }

    /// Ends the stream of every page.
    pub fn close(&self) {
        self.0.take();
    }

    fn is_empty(&self) -> bool {
        let mut pages = self.0.borrow_mut();
        pages.retain(|page| !page.is_closed());
        pages.is_empty()
    }
}

/// The status as a server-sent event.
fn message(status: &StatusView) -> Bytes {
    let json = serde_json::to_string(status).expect("a status is made of strings and numbers");
    Bytes::from(format!("data: {json}\n\n"))
}

/// Pages that are open at the same time.
const MAX_PAGES: usize = 64;

/// Messages that a page may be behind.
const BEHIND: usize = 2;

/// Between two messages.
const APART: Duration = Duration::from_millis(200);
