//! What comes between the two looks of a wait was promised to nobody: a wake that
//! its place is given meanwhile is for the next in line. And what a panic leaves
//! behind is for those in line.

use super::*;
use crate::test_tools::{PanickingWaker, Touchy, Wakes, poll_with};
use futures::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::task::{Poll, RawWaker, RawWakerVTable, Wake, Waker};

/// What a waker does, once.
struct Act(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Act {
    fn new(act: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(Box::new(act)))))
    }

    fn act(&self) {
        let act = self.0.lock().take();
        if let Some(act) = act {
            act();
        }
    }
}

/// As another thread would act, after a wait has what it waited for and before it
/// gives its place up: that is when it wakes the other side.
impl Wake for Act {
    fn wake(self: Arc<Self>) {
        self.act();
    }
}

/// As another thread would act, between a wait's first look and its joining the
/// line: that is when its waker is cloned.
fn on_clone(act: impl FnOnce() + Send + 'static) -> Waker {
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, drop_one, |_| (), drop_one);
    fn clone(data: *const ()) -> RawWaker {
        // SAFETY: `data` is an Arc's that the cloned waker holds on to.
        let held = ManuallyDrop::new(unsafe { Arc::from_raw(data.cast::<Act>()) });
        held.act();
        RawWaker::new(Arc::into_raw(Arc::clone(&held)).cast(), &VTABLE)
    }
    fn drop_one(data: *const ()) {
        // SAFETY: `data` is an Arc's, and the waker that held it ends here.
        drop(unsafe { Arc::from_raw(data.cast::<Act>()) });
    }
    let data = Arc::into_raw(Act::new(act)).cast();
    // SAFETY: each waker of the table holds one reference of such an Arc.
    unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
}

/// Waits that are polled by nobody any more, but keep their places.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Kept {
    fn receive(&self, receiver: &Arc<Receiver<u32>>, waker: &Waker) {
        let receiver = receiver.clone();
        self.keep(
            async move {
                let _ = receiver.recv().await;
            },
            waker,
        );
    }

    fn send(&self, sender: &Arc<Sender<u32>>, value: u32, waker: &Waker) {
        let sender = sender.clone();
        self.keep(
            async move {
                let _ = sender.send(value).await;
            },
            waker,
        );
    }

    fn keep(&self, wait: impl Future<Output = ()> + Send + 'static, waker: &Waker) {
        let mut wait = wait.boxed();
        assert!(poll_with(&mut wait, waker).is_pending());
        self.0.lock().push(wait);
    }
}

fn channel_of_one() -> (Arc<Sender<u32>>, Arc<Receiver<u32>>) {
    let (sender, receiver) = bounded(1);
    (Arc::new(sender), Arc::new(receiver))
}

#[test]
fn trap_012_a_value_found_in_joining_leaves_the_wake_to_the_next_receiver() {
    let (sender, receiver) = channel_of_one();
    let (wakes, second) = Wakes::new();
    let kept = Kept::default();
    let (sends, receives, keeps) = (sender.clone(), receiver.clone(), kept.clone());
    let between: Waker = Act::new(move || {
        keeps.receive(&receives, &second);
        sends.try_send(2).expect("there is room");
    })
    .into();
    let (sends, keeps) = (sender.clone(), kept.clone());
    let first = on_clone(move || {
        sends.try_send(1).expect("there is room");
        keeps.send(&sends, 3, &between);
    });
    assert_eq!(poll_with(&mut receiver.recv(), &first), Poll::Ready(Ok(1)));
    assert_eq!(receiver.len(), 1);
    assert_eq!(wakes.count(), 1, "who waits for the other knows");
    kept.0.lock().clear();
}

#[test]
fn trap_012_room_found_in_joining_leaves_the_wake_to_the_next_sender() {
    let (sender, receiver) = channel_of_one();
    let (wakes, second) = Wakes::new();
    let kept = Kept::default();
    sender.try_send(1).expect("there is room");
    let (sends, receives, keeps) = (sender.clone(), receiver.clone(), kept.clone());
    let between: Waker = Act::new(move || {
        keeps.send(&sends, 3, &second);
        assert_eq!(receives.try_recv(), Ok(2));
    })
    .into();
    let (receives, keeps) = (receiver.clone(), kept.clone());
    let first = on_clone(move || {
        assert_eq!(receives.try_recv(), Ok(1));
        keeps.receive(&receives, &between);
    });
    assert_eq!(poll_with(&mut sender.send(2), &first), Poll::Ready(Ok(())));
    assert_eq!(receiver.len(), 0);
    assert_eq!(wakes.count(), 1, "who waits for room knows");
    kept.0.lock().clear();
}

#[test]
fn trap_051_a_senders_waker_that_panics_costs_no_receiver_its_value() {
    let (sender, receiver) = channel_of_one();
    let bad: Waker = Arc::new(PanickingWaker).into();
    let kept = Kept::default();
    sender.try_send(1).expect("there is room");
    kept.send(&sender, 2, &bad);
    assert_eq!(receiver.try_recv(), Ok(1));
    kept.0.lock().clear();
    sender.try_send(2).expect("there is room");
    kept.send(&sender, 3, &bad);
    let mut values = Vec::new();
    let mut all = receiver.recv_many(&mut values, 10);
    assert_eq!(poll_with(&mut all, Waker::noop()), Poll::Ready(Ok(1)));
    drop(all);
    assert_eq!(values, [2]);
    kept.0.lock().clear();
}

#[test]
fn a_comparison_that_panics_leaves_nobody_asleep_beside_a_value_or_room() {
    let (sender, receiver) = priority(3);
    let wakes: Vec<_> = (0..2).map(|_| Wakes::new()).collect();
    let mut receives = [receiver.recv(), receiver.recv()];
    for (receive, (_, waker)) in receives.iter_mut().zip(&wakes) {
        assert!(poll_with(receive, waker).is_pending());
    }
    sender.try_send(Touchy(1)).expect("there is room");
    Touchy::panics_in(&|| drop(sender.try_send(Touchy(2))));
    assert_eq!(receiver.len(), 2, "the value is inside nevertheless");
    assert!(wakes.iter().all(|(wakes, _)| wakes.count() == 1));
    drop(receives);

    sender.try_send(Touchy(3)).expect("there is room");
    let (wakes, waker) = Wakes::new();
    let mut send = sender.send(Touchy(4));
    assert!(poll_with(&mut send, &waker).is_pending());
    Touchy::panics_in(&|| drop(receiver.try_recv()));
    assert_eq!(receiver.len(), 2, "it is out nevertheless");
    assert_eq!(wakes.count(), 1);
    assert!(poll_with(&mut send, &waker).is_ready());
}
