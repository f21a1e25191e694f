//! The queue's ends, waiting and closing, over the real storage.

use super::*;

#[test]
fn loom_a_value_reaches_a_blocked_receiver() {
    loom::model(|| {
        let (sender, receiver) = bounded(1);
        let producer = loom::thread::spawn(move || sender.send_blocking(1));
        assert_eq!(receiver.recv_blocking(), Ok(1));
        assert!(producer.join().unwrap().is_ok());
    });
}

#[test]
fn loom_a_full_channel_lets_its_sender_through() {
    loom::model(|| {
        let (sender, receiver) = bounded(1);
        sender.try_send(1).unwrap();
        let producer = loom::thread::spawn(move || sender.send_blocking(2));
        assert_eq!(receiver.recv_blocking(), Ok(1));
        assert_eq!(receiver.recv_blocking(), Ok(2));
        assert!(producer.join().unwrap().is_ok());
    });
}

#[test]
fn loom_trap_092_close_and_send_agree() {
    loom::model(|| {
        let (sender, receiver) = bounded(1);
        let producer = loom::thread::spawn(move || sender.try_send(7));
        receiver.close();
        let received = receiver.recv_blocking();
        let sent = producer.join().unwrap();
        assert_eq!(sent.is_ok(), received.is_ok());
    });
}
