//! Other crates' channels, in polyloop's loops.

use super::Peer;
use crate::scenario::channels::{Channel, of_channel};

/// All of them.
pub fn all() -> Vec<Peer> {
    vec![
        peer::<Crossfire>("crossfire", "crossfire 3.1, an mpsc channel"),
        peer::<Kanal>("kanal", "kanal 0.1, an mpmc channel"),
        peer::<Flume>("flume", "flume 0.12, an mpmc channel"),
        peer::<AsyncChannel>("async-channel", "async-channel 2.5, an mpmc channel"),
        peer::<Crossbeam>(
            "crossbeam",
            "crossbeam-channel 0.5, an mpmc channel that blocks",
        ),
    ]
}

fn peer<C: Channel>(name: &'static str, about: &str) -> Peer {
    Peer {
        name,
        about: about.to_owned(),
        lacks: |_| None,
        runs: of_channel::<C>().to_vec(),
    }
}

struct Crossfire;

#[derive(Clone)]
enum CrossfireSender {
    Bounded(crossfire::MAsyncTx<crossfire::mpsc::Array<u64>>),
    Unbounded(crossfire::MTx<crossfire::mpsc::List<u64>>),
}

enum CrossfireReceiver {
    Bounded(crossfire::AsyncRx<crossfire::mpsc::Array<u64>>),
    Unbounded(crossfire::AsyncRx<crossfire::mpsc::List<u64>>),
}

impl Channel for Crossfire {
    type Sender = CrossfireSender;
    type Receiver = CrossfireReceiver;

    fn channel(capacity: Option<usize>) -> (CrossfireSender, CrossfireReceiver) {
        match capacity {
            Some(capacity) => {
                let (send, receive) = crossfire::mpsc::bounded_async(capacity);
                (
                    CrossfireSender::Bounded(send),
                    CrossfireReceiver::Bounded(receive),
                )
            }
            None => {
                let (send, receive) = crossfire::mpsc::unbounded_async();
                (
                    CrossfireSender::Unbounded(send),
                    CrossfireReceiver::Unbounded(receive),
                )
            }
        }
    }

    async fn send(sender: &CrossfireSender, value: u64) {
        let sent = match sender {
            CrossfireSender::Bounded(sender) => sender.send(value).await,
            CrossfireSender::Unbounded(sender) => sender.send(value),
        };
        sent.expect("the receiver is there");
    }

    async fn receive(receiver: &mut CrossfireReceiver) -> Option<u64> {
        match receiver {
            CrossfireReceiver::Bounded(receiver) => receiver.recv().await.ok(),
            CrossfireReceiver::Unbounded(receiver) => receiver.recv().await.ok(),
        }
    }
}

struct Kanal;

impl Channel for Kanal {
    type Sender = kanal::AsyncSender<u64>;
    type Receiver = kanal::AsyncReceiver<u64>;

    fn channel(capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => kanal::bounded_async(capacity),
            None => kanal::unbounded_async(),
        }
    }

    async fn send(sender: &Self::Sender, value: u64) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u64> {
        receiver.recv().await.ok()
    }
}

struct Flume;

impl Channel for Flume {
    type Sender = flume::Sender<u64>;
    type Receiver = flume::Receiver<u64>;

    fn channel(capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => flume::bounded(capacity),
            None => flume::unbounded(),
        }
    }

    async fn send(sender: &Self::Sender, value: u64) {
        let sent = sender.send_async(value).await;
        sent.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u64> {
        receiver.recv_async().await.ok()
    }
}

struct AsyncChannel;

impl Channel for AsyncChannel {
    type Sender = async_channel::Sender<u64>;
    type Receiver = async_channel::Receiver<u64>;

    fn channel(capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => async_channel::bounded(capacity),
            None => async_channel::unbounded(),
        }
    }

    async fn send(sender: &Self::Sender, value: u64) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u64> {
        receiver.recv().await.ok()
    }
}

struct Crossbeam;

impl Channel for Crossbeam {
    type Sender = crossbeam_channel::Sender<u64>;
    type Receiver = crossbeam_channel::Receiver<u64>;

    fn channel(capacity: Option<usize>) -> (Self::Sender, Self::Receiver) {
        match capacity {
            Some(capacity) => crossbeam_channel::bounded(capacity),
            None => crossbeam_channel::unbounded(),
        }
    }

    async fn send(sender: &Self::Sender, value: u64) {
        sender.send(value).expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u64> {
        receiver.recv().ok()
    }
}

/// tokio's, in the scenarios of its current-thread runtime.
pub struct Tokio;

/// Its sending end.
#[derive(Clone)]
pub enum TokioSender {
    Bounded(tokio::sync::mpsc::Sender<u64>),
    Unbounded(tokio::sync::mpsc::UnboundedSender<u64>),
}

/// Its receiving end.
pub enum TokioReceiver {
    Bounded(tokio::sync::mpsc::Receiver<u64>),
    Unbounded(tokio::sync::mpsc::UnboundedReceiver<u64>),
}

impl Channel for Tokio {
    type Sender = TokioSender;
    type Receiver = TokioReceiver;

    fn channel(capacity: Option<usize>) -> (TokioSender, TokioReceiver) {
        match capacity {
            Some(capacity) => {
                let (send, receive) = tokio::sync::mpsc::channel(capacity);
                (TokioSender::Bounded(send), TokioReceiver::Bounded(receive))
            }
            None => {
                let (send, receive) = tokio::sync::mpsc::unbounded_channel();
                (
                    TokioSender::Unbounded(send),
                    TokioReceiver::Unbounded(receive),
                )
            }
        }
    }

    async fn send(sender: &TokioSender, value: u64) {
        let sent = match sender {
            TokioSender::Bounded(sender) => sender.send(value).await,
            TokioSender::Unbounded(sender) => sender.send(value),
        };
        sent.expect("the receiver is there");
    }

    async fn receive(receiver: &mut TokioReceiver) -> Option<u64> {
        match receiver {
            TokioReceiver::Bounded(receiver) => receiver.recv().await,
            TokioReceiver::Unbounded(receiver) => receiver.recv().await,
        }
    }
}
