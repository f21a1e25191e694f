//! The service: loops, shards, who serves which client, and the end.

use super::batch::Router;
use super::connection::Connection;
use super::info::Info;
use super::resp::Limits;
use super::shards::{self, Shard, Shards};
use futures::AsyncWriteExt;
use polyloop::net::TcpStream;
use polyloop_bridge::group::{Accept, GroupReport, Policy};
use polyloop_bridge::{LoopGroup, Sharded};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// What the command line decides.
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How many loops, and so shards.
    pub loops: usize,
    /// Bytes for all keys and values together, roughly.
    pub memory: usize,
    /// The most clients at a time.
    pub clients: usize,
    /// What requests may ask for.
    pub limits: Limits,
}

/// How long a loop looks for work before it sleeps: once or twice, offering its
/// core each time.
///
/// The other loops and the clients may want that core, and clients on the same
/// machine cannot be counted: a loop that spins on keeps one of them waiting.
/// To offer the core is worth it still. Where two loops share one, the offer is
/// the switch to the other loop, and nobody has to be woken for it.
const LOOK: Duration = Duration::from_micros(3);

/// How long connections may take to notice the end.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until Ctrl-C; `ready` is told the address.
///
/// # Errors
/// The loops cannot start, or the address cannot be listened at.
pub fn run(
    options: Options,
    ready: impl FnOnce(SocketAddr),
) -> Result<GroupReport, Box<dyn Error>> {
    let group = LoopGroup::builder()
        .loops(options.loops)
        .name("kv")
        .busy_poll(LOOK)
        .build()?;
    let shards = shards::start(&group, options.memory)?;
    let service = Service::new(shards, &options);
    // In turn: the system would spread a few dozen clients unevenly, and the loop
    // with the most of them would be what all wait for.
    let in_turn = Accept::HandOff(Policy::RoundRobin);
    let server = group.serve_tcp(options.listen, in_turn, move |stream| {
        service.clone().accept(stream)
    })?;
    ready(server.local_addr());
    let waited = polyloop::run(polyloop::signal::ctrl_c());
    server.close();
    let report = group.shutdown(GRACE);
    waited??;
    Ok(report)
}

/// What every connection needs.
#[derive(Clone)]
struct Service {
    shards: Sharded<Shard>,
    router: Router,
    limits: Limits,
    info: Info,
}

impl Service {
    fn new(shards: Sharded<Shard>, options: &Options) -> Self {
        let loops = shards.len();
        Self {
            router: Router::new(loops),
            limits: options.limits,
            info: Info::new(
                options.listen.port(),
                loops,
                options.memory,
                options.clients,
            ),
            shards,
        }
    }

    async fn accept(self, stream: TcpStream) {
        // A client that leaves is no news, however it does.
        let _ = self.serve(stream).await;
    }

    async fn serve(self, mut stream: TcpStream) -> io::Result<()> {
        let Some(client) = self.info.client() else {
            let refused = b"-ERR max number of clients reached\r\n";
            return stream.write_all(refused).await;
        };
        stream.set_nodelay(true)?;
        let Some(shards) = Shards::here(self.shards) else {
            return Err(io::Error::other("accepted on a loop without a shard"));
        };
        let connection = Connection::new(stream, shards, self.router, self.limits, self.info);
        let served = connection.serve().await;
        drop(client);
        served
    }
}
