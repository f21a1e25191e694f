//! Where a server's connections are accepted, while loops come and go.
//!
//! A *part* is a coroutine that accepts on one loop, with a listening socket.
//! With [`Accept::ReusePort`] every loop has one, with [`Accept::HandOff`] there
//! is one in all.
//!
//! | what happens to a loop | `ReusePort` | `HandOff` |
//! |---|---|---|
//! | it joins | gets a part | gets the part if nobody has it |
//! | it ends or is retired: its part is dropped, which tells it | | the part moves to another loop |
//! | it is stuck and is replaced | its socket is shut, the new loop gets a part | the part moves to another loop |
//!
//! The server has ended when no part is left. A stuck loop drops its part late:
//! by then the part's number is on no list, and nobody is told.
//!
//! A part never goes back to a loop that it left, so that loops which end all at
//! once do not pass it round and round.
#![forbid(unsafe_code)]

use super::choose::{Loops, Member};
use super::listen::listen;
use super::parts::{Part, Parts};
use super::serve::{Accept, Policy};
use crate::try_run_coroutine_threadsafe;
use polyloop::LoopHandle;
use polyloop::net::{DetachedTcpStream, TcpListener, TcpStream};
use socket2::SockRef;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener as Socket};
use std::sync::Arc;

/// What is told of a group's changes.
pub(super) trait Follow: Send + Sync {
    /// A loop is in the group now.
    fn joined(self: Arc<Self>, member: &Member);
    /// So is this one, in the place of one that may be stuck.
    fn replaced(self: Arc<Self>, old: u64, member: &Member);
    /// A part was dropped, by its loop or by whoever would not take it.
    fn dropped(self: Arc<Self>, part: u64);
    /// Is it to be told of nothing more?
    fn is_closed(&self) -> bool;
}

/// A server, with its handler.
pub(super) struct Serving<F> {
    handler: Arc<F>,
    loops: Arc<Loops>,
    role: Option<usize>,
    accept: Accept,
    address: SocketAddr,
    parts: Arc<Parts>,
}

impl<F, Fut> Serving<F>
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + 'static,
{
    pub(super) fn new(
        handler: F,
        loops: Arc<Loops>,
        role: Option<usize>,
        accept: Accept,
        address: SocketAddr,
    ) -> Arc<Self> {
        Arc::new(Self {
            handler: Arc::new(handler),
            loops,
            role,
            accept,
            address,
            parts: Arc::new(Parts::new()),
        })
    }

    pub(super) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }

    /// Begins to accept, on the loops that there are.
    pub(super) fn start(self: &Arc<Self>, sockets: Vec<Socket>) {
        match self.accept {
            Accept::ReusePort => {
                for ((_, member), socket) in self.loops.open(self.role).zip(sockets) {
                    self.send(vec![member], Vec::new(), socket);
                }
            }
            Accept::HandOff(_) => {
                for socket in sockets {
                    self.send_anywhere(Vec::new(), socket);
                }
            }
        }
        self.parts.end_if_empty();
    }

    /// Gives the only part to another loop.
    fn move_on(self: &Arc<Self>, part: Part) {
        self.send_anywhere(part.records, part.socket);
        self.parts.moved();
    }

    fn send_anywhere(self: &Arc<Self>, been: Vec<u64>, socket: Socket) {
        let loops = self.loops.open(self.role).map(|(_, member)| member);
        let loops = loops.filter(|member| !been.contains(&member.record));
        self.send(loops.collect(), been, socket);
    }

    /// Gives a part to the first of these loops that takes it; if none does,
    /// nobody can connect any more.
    fn send(self: &Arc<Self>, loops: Vec<&Member>, mut been: Vec<u64>, socket: Socket) {
        let Some(first) = loops.first() else {
            return shut(&socket);
        };
        been.push(first.record);
        let twin = match socket.try_clone() {
            Ok(twin) => twin,
            Err(error) => return self.parts.broke(error),
        };
        let Some(number) = self.parts.enter(been, twin) else {
            return shut(&socket);
        };
        let held = Held {
            socket: Some(socket),
            server: self.clone(),
            number,
        };
        let serving = self.clone();
        let mut work = move || serving.accept(held);
        for member in loops {
            match try_run_coroutine_threadsafe(&member.handle, work) {
                Ok(accepting) => return self.parts.taken(number, member.record, accepting),
                Err(refused) => work = refused.into_inner(),
            }
        }
        // So that its drop finds nothing to move.
        if let Some(part) = self.parts.take_out(|part| part.number == number, false) {
            shut(&part.socket);
        }
    }

    async fn accept(self: Arc<Self>, mut held: Held) {
        let Err(error) = self.accept_all(&mut held).await;
        self.parts.broke(error);
        // It would break on another loop, too.
        drop(
            self.parts
                .take_out(|part| part.number == held.number, false),
        );
    }

    async fn accept_all(self: &Arc<Self>, held: &mut Held) -> io::Result<Infallible> {
        let socket = held.socket.take().ok_or(io::ErrorKind::NotConnected)?;
        let listener = TcpListener::from_std(socket)?;
        // The handler is called in the connection's own task: a panic in it ends
        // that alone.
        let serving = self.clone();
        listener
            .serve(move |stream, peer| {
                // One that is for this loop does not leave it.
                let target = serving
                    .choose(peer)
                    .filter(|target| !target.is_own_thread());
                let stays = match target {
                    None => Some((serving.handler.clone(), stream)),
                    Some(target) => {
                        serving.hand_off(stream.detach(), target);
                        None
                    }
                };
                async move {
                    if let Some((handler, stream)) = stays {
                        handler(stream).await;
                    }
                }
            })
            .await
    }

    /// The loop that a connection is for; `None`: the one that accepted it.
    fn choose(&self, peer: SocketAddr) -> Option<&LoopHandle> {
        let Accept::HandOff(policy) = self.accept else {
            return None;
        };
        match policy {
            Policy::RoundRobin => self.loops.next(self.role),
            Policy::LeastLoaded => self.loops.least_loaded(self.role),
            Policy::ByPeer => self.loops.by_key(self.role, &peer.ip()),
        }
    }

    /// Sends the connection to its loop or, if that is closed, to one that is open.
    fn hand_off(&self, stream: DetachedTcpStream, target: &LoopHandle) {
        let handler = self.handler.clone();
        let mut work = move || async move {
            // Without a descriptor for it, the connection is closed.
            if let Ok(stream) = stream.attach() {
                handler(stream).await;
            }
        };
        let others = self.loops.open(self.role);
        let others = others.map(|(_, member)| &member.handle);
        for handle in std::iter::once(target).chain(others) {
            match try_run_coroutine_threadsafe(handle, work) {
                Ok(_detached) => return,
                Err(refused) => work = refused.into_inner(),
            }
        }
        // Every loop is closed: the connection is closed too.
    }
}

impl<F, Fut> Follow for Serving<F>
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + 'static,
{
    fn joined(self: Arc<Self>, member: &Member) {
        let shared = self.accept == Accept::ReusePort;
        let mut open = self.loops.open(self.role);
        if self.parts.is_closed()
            || !open.any(|(_, open)| open.record == member.record)
            || !shared && !self.parts.is_nowhere()
        {
            return;
        }
        match listen(self.address, shared) {
            Ok(socket) => self.send(vec![member], Vec::new(), socket),
            Err(error) => self.parts.broke(error),
        }
    }

    fn replaced(self: Arc<Self>, old: u64, member: &Member) {
        let moves = self.accept != Accept::ReusePort;
        let given_up = self.parts.take_out(|part| part.is_on(old), moves);
        if let Some(accepting) = given_up.as_ref().and_then(|part| part.accepting.as_ref()) {
            accepting.cancel();
        }
        match (given_up, self.accept) {
            (Some(part), Accept::HandOff(_)) => self.move_on(part),
            (Some(part), Accept::ReusePort) => {
                self.clone().joined(member);
                shut(&part.socket);
            }
            (None, _) => self.clone().joined(member),
        }
        self.parts.end_if_empty();
    }

    fn dropped(self: Arc<Self>, part: u64) {
        // One that was given up is on the list no more.
        let moves = self.accept != Accept::ReusePort;
        let is_it = |entered: &Part| entered.number == part;
        let Some(part) = self.parts.take_out(is_it, moves) else {
            return;
        };
        match moves {
            true => self.move_on(part),
            false => drop(part),
        }
        self.parts.end_if_empty();
    }

    fn is_closed(&self) -> bool {
        self.parts.is_closed()
    }
}

/// Listens no more: a stuck loop may have the socket open still, and connections
/// would come to it.
fn shut(socket: &Socket) {
    // It is one that listens, or has been shut before.
    let _ = SockRef::from(socket).shutdown(Shutdown::Read);
}

/// What a part holds on its loop; dropped with it, it says so.
struct Held {
    socket: Option<Socket>,
    server: Arc<dyn Follow>,
    number: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        // First, so that nobody can connect when the end is told.
        drop(self.socket.take());
        self.server.clone().dropped(self.number);
    }
}
