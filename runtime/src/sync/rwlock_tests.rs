use super::super::testing::{Probe, now};
use super::*;

#[test]
fn readers_share_and_a_writer_is_alone() {
    let lock = RwLock::new(1);
    let one = now(lock.read());
    let other = now(lock.read());
    assert_eq!((*one, *other, lock.statistics().readers), (1, 1, 2));
    assert!(lock.try_write().is_none());
    let mut writer = Probe::waiting(lock.write());
    drop(one);
    assert_eq!(writer.wakes(), 0);
    drop(other);
    assert_eq!(writer.wakes(), 1);
    let mut guard = writer.ready();
    *guard = 2;
    assert!(lock.statistics().writing && lock.locked());
    assert!(lock.try_read().is_none());
    drop(guard);
    assert!(!lock.locked());
    assert_eq!(*now(lock.read()), 2);
}

#[test]
fn readers_do_not_overtake_a_writer() {
    let lock = RwLock::new(());
    let held = now(lock.read());
    let mut writer = Probe::waiting(lock.write());
    let mut readers = [Probe::waiting(lock.read()), Probe::waiting(lock.read())];
    assert!(lock.try_read().is_none());
    drop(held);
    assert_eq!((writer.wakes(), readers[0].wakes()), (1, 0));
    drop(writer.ready());
    assert_eq!((readers[0].wakes(), readers[1].wakes()), (1, 1));
    let [one, other] = readers.each_mut().map(Probe::ready);
    drop((one, other));
}

#[test]
fn a_writer_that_gives_up_lets_the_readers_through() {
    let lock = RwLock::new(());
    let held = now(lock.read());
    let writer = Probe::waiting(lock.write());
    let mut reader = Probe::waiting(lock.read());
    drop(writer);
    assert_eq!(reader.wakes(), 1);
    drop((reader.ready(), held));
}

#[test]
fn a_woken_writer_that_is_dropped_passes_the_lock_on() {
    let lock = RwLock::new(());
    let held = now(lock.write());
    let first = Probe::waiting(lock.write());
    let mut second = Probe::waiting(lock.write());
    drop(held);
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second.ready());
}

#[test]
fn a_downgrade_lets_readers_in_and_no_writer() {
    let lock = RwLock::new(1);
    let mut held = now(lock.write());
    let mut reader = Probe::waiting(lock.read());
    let writer = Probe::waiting(lock.write());
    *held += 1;
    let held = held.downgrade();
    assert_eq!((reader.wakes(), writer.wakes()), (1, 0));
    assert_eq!((*held, *reader.ready()), (2, 2));
    drop(held);
    assert_eq!(writer.wakes(), 1);
}
