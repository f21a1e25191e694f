//! The crate local-sync: primitives of one thread, for the runtimes that bring
//! none of their own.

use crate::runtime::{Exchange, Runtime};
use local_sync::mpsc::bounded::channel;
use local_sync::semaphore::Semaphore;

/// Why this is not there.
pub fn lacks(what: Exchange) -> Option<String> {
    match what {
        Exchange::Lock => Some("neither it nor local-sync has a lock".to_owned()),
        Exchange::Event => Some("neither it nor local-sync has an event".to_owned()),
        Exchange::Semaphore | Exchange::Queue | Exchange::PingPong => None,
    }
}

/// [`Runtime::exchange`], for any runtime.
pub async fn exchange<R: Runtime>(what: Exchange, count: u64) -> u64 {
    match what {
        Exchange::Semaphore => semaphore(count).await,
        Exchange::Queue => queue(count).await,
        Exchange::PingPong => ping_pong::<R>(count).await,
        Exchange::Lock | Exchange::Event => unreachable!("it is lacking"),
    }
}

async fn semaphore(count: u64) -> u64 {
    let semaphore = Semaphore::new(4);
    let mut done = 0;
    for _ in 0..count {
        let _permit = semaphore.acquire().await.expect("nobody closes it");
        done += 1;
    }
    done
}

async fn queue(count: u64) -> u64 {
    let (put, mut get) = channel(16);
    let mut last = 0;
    for value in 1..=count {
        let sent: Result<(), _> = put.send(value).await;
        assert!(sent.is_ok(), "the receiver is here");
        last = get.recv().await.expect("so is the sender");
    }
    last
}

async fn ping_pong<R: Runtime>(count: u64) -> u64 {
    let (there, mut from_here) = channel(1);
    let (back, mut from_there) = channel(1);
    let partner = R::spawn(async move {
        while let Some(value) = from_here.recv().await {
            assert!(back.send(value + 1).await.is_ok(), "the other waits");
        }
    });
    let mut value = 0_u64;
    for _ in 0..count {
        assert!(there.send(value).await.is_ok(), "the partner waits");
        value = from_there.recv().await.expect("the partner answers");
    }
    drop(there);
    partner.await;
    value
}
