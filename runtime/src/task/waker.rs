//! The cell as a `std::task::Waker`. At home a clone, a drop or a wake is a few
//! plain loads and stores; elsewhere it is one atomic operation on the word.

use super::raw::{TaskRef, flags};
use super::state::Wake;
use super::{Header, Home};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// The waker that a poll is handed: borrowed from the cell, never dropped.
#[inline]
pub(crate) fn borrow<H: Home>(task: TaskRef) -> ManuallyDrop<Waker> {
    let data = task.as_ptr().cast_const().cast();
    // SAFETY: the vtable below keeps RawWaker's contract for pointers to live
    // cells, and the poll outlives the borrow. It is not dropped, so it needs
    // no reference of its own.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, H::WAKER)) })
}

/// The vtable of a home's wakers; to be put into a `static`.
pub(crate) const fn vtable<H: Home>() -> RawWakerVTable {
    RawWakerVTable::new(
        clone_raw::<H>,
        wake_raw::<H>,
        wake_by_ref_raw::<H>,
        drop_raw::<H>,
    )
}

/// As `waker.wake_by_ref()`, but without a call through the vtable where the waker
/// is a task's of a home of this kind.
#[inline(always)]
pub(crate) fn wake_by_ref<H: Home>(waker: &Waker) {
    if std::ptr::eq(waker.vtable(), H::WAKER) {
        // SAFETY: the vtable says what the data is, and the waker's reference
        // keeps the cell alive.
        unsafe { wake::<H>(task_of(waker.data())) }
    } else {
        waker.wake_by_ref();
    }
}

/// As `waker.wake()`, for a task's of a home of this kind; gives back any other.
#[inline(always)]
pub(super) fn wake_own<H: Home>(waker: Waker) -> Result<(), Waker> {
    if !std::ptr::eq(waker.vtable(), H::WAKER) {
        return Err(waker);
    }
    // SAFETY: the waker, and its reference, is used up here.
    unsafe { wake_raw::<H>(ManuallyDrop::new(waker).data()) };
    Ok(())
}

/// As `waker.clone()`, for whoever awaits `task`, and without a call through the
/// vtable where both are tasks of one home. On the home thread of `task`.
#[inline(always)]
pub(super) fn clone_for(task: TaskRef, waker: &Waker) -> Waker {
    let header = task.header();
    if std::ptr::eq(waker.vtable(), header.vtable.waker) {
        // SAFETY: the vtable says what the data is, and the waker keeps it alive.
        let awaiting = unsafe { task_of(waker.data()) };
        if awaiting.header().home == header.home {
            awaiting.retain_here();
            // SAFETY: the same waker's parts, and a reference of its own.
            return unsafe { Waker::new(waker.data(), waker.vtable()) };
        }
    }
    waker.clone()
}

/// Schedules the task from whatever thread this is.
///
/// # Safety
/// The cell is alive through the whole call.
#[inline(always)]
pub(super) unsafe fn wake<H: Home>(task: TaskRef) {
    if H::here(task.header().home, |home| schedule(home, task)).is_none() {
        wake_elsewhere::<H>(task);
    }
}

/// At home: puts the task into the ready queue, if that is not where it is.
#[inline(always)]
fn schedule<H: Home>(home: &H, task: TaskRef) {
    let header = task.header();
    if header.flags() & (flags::SCHEDULED | flags::DONE) == 0 {
        header.set(flags::SCHEDULED);
        home.push_ready(task);
    }
}

#[inline(never)]
fn wake_elsewhere<H: Home>(task: TaskRef) {
    let header = task.header();
    if header.word.wake() == Wake::Push && !H::send(header.home, task) {
        // The loop is closed. The caller's reference keeps the cell, so this
        // is never the last one.
        let last = header.word.withdraw();
        debug_assert!(!last, "a waker without a reference");
    }
}

/// # Safety
/// RawWaker's contract: `data` came from a waker that is alive.
unsafe fn task_of(data: *const ()) -> TaskRef {
    // SAFETY: the waker's reference keeps the cell alive.
    unsafe { TaskRef::from_raw(NonNull::new_unchecked(data.cast_mut().cast::<Header>())) }
}

unsafe fn clone_raw<H: Home>(data: *const ()) -> RawWaker {
    // SAFETY: RawWaker's contract.
    let task = unsafe { task_of(data) };
    if H::here(task.header().home, |_| task.retain_here()).is_none() {
        task.retain_elsewhere();
    }
    RawWaker::new(data, H::WAKER)
}

#[inline]
unsafe fn wake_raw<H: Home>(data: *const ()) {
    // SAFETY: RawWaker's contract.
    let task = unsafe { task_of(data) };
    let here = H::here(task.header().home, |home| {
        schedule(home, task);
        // SAFETY: RawWaker's contract: the waker's reference is used up.
        unsafe { task.release_here() };
    });
    if here.is_none() {
        wake_elsewhere::<H>(task);
        // SAFETY: as above.
        unsafe { task.release_elsewhere() };
    }
}

unsafe fn wake_by_ref_raw<H: Home>(data: *const ()) {
    // SAFETY: RawWaker's contract.
    unsafe { wake::<H>(task_of(data)) }
}

unsafe fn drop_raw<H: Home>(data: *const ()) {
    // SAFETY: RawWaker's contract: the waker owned a reference.
    unsafe {
        let task = task_of(data);
        if H::here(task.header().home, |_| task.release_here()).is_none() {
            task.release_elsewhere();
        }
    }
}
