use super::super::testing::{Probe, now};
use super::*;

#[test]
fn every_receiver_gets_every_value_in_order() {
    let (sender, mut one) = channel(4);
    let mut other = sender.subscribe();
    assert_eq!(sender.send(1), Ok(2));
    assert_eq!(sender.send(2), Ok(2));
    let mut late = sender.subscribe();
    for receiver in [&mut one, &mut other] {
        assert_eq!(receiver.pending(), 2);
        assert_eq!(now(receiver.recv()), Ok(1));
        assert_eq!(now(receiver.recv()), Ok(2));
        assert_eq!(receiver.try_recv(), Ok(None));
    }
    assert_eq!(late.try_recv(), Ok(None));
}

#[test]
fn a_value_wakes_all_who_wait() {
    let (sender, mut one) = channel(1);
    let mut other = one.resubscribe();
    let mut waits = [Probe::waiting(one.recv()), Probe::waiting(other.recv())];
    assert_eq!(sender.statistics().waiting, 2);
    assert_eq!(sender.send(7), Ok(2));
    for wait in &mut waits {
        assert_eq!(wait.wakes(), 1);
        assert_eq!(wait.ready(), Ok(7));
    }
}

#[test]
fn a_slow_receiver_is_told_how_many_it_missed() {
    let (sender, mut receiver) = channel(2);
    for value in 0..5 {
        assert_eq!(sender.send(value), Ok(1));
    }
    let error = now(receiver.recv()).unwrap_err();
    assert_eq!((error.lagged(), error.is_closed()), (Some(3), false));
    assert_eq!(now(receiver.recv()), Ok(3));
    assert_eq!(now(receiver.recv()), Ok(4));
}

#[test]
fn a_dropped_wait_has_received_nothing() {
    let (sender, mut receiver) = channel(2);
    let wait = Probe::waiting(receiver.recv());
    assert_eq!(sender.send(1), Ok(1));
    drop(wait);
    assert_eq!(now(receiver.recv()), Ok(1));
}

#[test]
fn the_last_sender_ends_it_after_what_was_sent() {
    let (sender, mut receiver) = channel(2);
    let mut wait = Probe::waiting(receiver.recv());
    let last = sender.clone();
    drop(sender);
    assert_eq!(wait.wakes(), 0);
    assert_eq!(last.send(1), Ok(1));
    drop(last);
    assert_eq!(wait.ready(), Ok(1));
    drop(wait);
    assert!(now(receiver.recv()).unwrap_err().is_closed());
}

#[test]
fn without_a_receiver_nothing_is_kept() {
    let (sender, receiver) = channel(2);
    assert_eq!(sender.send(1), Ok(1));
    drop(receiver);
    assert_eq!(sender.statistics().kept, 0);
    assert_eq!(sender.send(2).unwrap_err().into_value(), 2);
    let mut receiver = sender.subscribe();
    assert_eq!(sender.send(3), Ok(1));
    assert_eq!(now(receiver.recv()), Ok(3));
}

#[test]
fn a_value_may_use_the_channel_when_it_is_dropped_or_cloned() {
    struct Nosy(Option<Sender<Nosy>>);
    impl Clone for Nosy {
        fn clone(&self) -> Self {
            if let Some(sender) = &self.0 {
                assert!(sender.send(Nosy(None)).is_ok());
            }
            Nosy(None)
        }
    }
    impl Drop for Nosy {
        fn drop(&mut self) {
            if let Some(sender) = &self.0 {
                let _ = sender.statistics();
            }
        }
    }
    let (sender, mut receiver) = channel(1);
    assert!(sender.send(Nosy(Some(sender.clone()))).is_ok());
    assert!(now(receiver.recv()).is_ok());
    assert!(now(receiver.recv()).is_ok());
}
