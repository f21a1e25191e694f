//! Wakers that call back in while a source takes them.

use super::{Direction, Driver, Io, MioDriver, Reactor};
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

type Waiting = Pin<Box<dyn Future<Output = io::Result<usize>>>>;

thread_local! {
    static VICTIM: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

/// A waker whose clone lets go of the future in `VICTIM`.
fn letting_go() -> Waker {
    fn clone(data: *const ()) -> RawWaker {
        drop(VICTIM.with(|victim| victim.borrow_mut().take()));
        RawWaker::new(data, &TABLE)
    }
    fn nothing(_: *const ()) {}
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, nothing);
    // SAFETY: the table's functions never look at the data.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &TABLE)) }
}

#[test]
fn a_waker_s_clone_may_let_go_of_another_waiter_of_the_same_source() {
    let driver = MioDriver::new().unwrap();
    let reactor = Rc::new(Reactor::new(driver.registry().unwrap()));
    let address = "127.0.0.1:0".parse().unwrap();
    let socket = mio::net::UdpSocket::bind(address).unwrap();
    let socket = Rc::new(Io::new(reactor, socket).unwrap());
    let wait = || -> Waiting {
        let socket = socket.clone();
        Box::pin(async move {
            let receive = |socket: &mio::net::UdpSocket| socket.recv(&mut [0]);
            socket.run(Direction::Read, receive).await
        })
    };
    let mut victim = wait();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(victim.as_mut().poll(&mut cx).is_pending());
    VICTIM.with(|place| *place.borrow_mut() = Some(victim));
    let (waker, mut other) = (letting_go(), wait());
    let mut cx = Context::from_waker(&waker);
    assert!(other.as_mut().poll(&mut cx).is_pending());
    assert!(
        VICTIM.with(|place| place.borrow().is_none()),
        "it was cloned"
    );
}
