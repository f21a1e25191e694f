//! What the service tells of itself.

use super::resp;
use super::store::Figures;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

/// Figures of the whole service, shared by its connections; one value of each
/// loop's own would be cheaper, and nobody would see the difference.
#[derive(Clone)]
pub struct Info(Arc<Shared>);

struct Shared {
    began: Instant,
    port: u16,
    loops: usize,
    memory: usize,
    clients: AtomicUsize,
    most_clients: usize,
    accepted: AtomicU64,
    commands: AtomicU64,
}

/// A client that is counted while this lives.
pub struct Client(Info);

impl Info {
    /// For a service that begins now.
    #[must_use]
    pub fn new(port: u16, loops: usize, memory: usize, most_clients: usize) -> Self {
        Self(Arc::new(Shared {
            began: Instant::now(),
            port,
            loops,
            memory,
            clients: AtomicUsize::new(0),
            most_clients,
            accepted: AtomicU64::new(0),
            commands: AtomicU64::new(0),
        }))
    }

    /// Counts a client, unless there are too many.
    #[must_use]
    pub fn client(&self) -> Option<Client> {
        let client = Client(self.clone());
        if self.0.clients.fetch_add(1, Relaxed) >= self.0.most_clients {
            return None;
        }
        self.0.accepted.fetch_add(1, Relaxed);
        Some(client)
    }

    /// Counts requests.
    pub fn count(&self, requests: usize) {
        self.0.commands.fetch_add(requests as u64, Relaxed);
    }

    /// Writes the answer of `INFO`.
    pub fn tell(&self, figures: Figures, out: &mut Vec<u8>) {
        let shared = &*self.0;
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "# Server\r\nserver_name:polyloop-kv\r\nkv_version:{}\r\nprocess_id:{}\r\n\
             tcp_port:{}\r\nuptime_in_seconds:{}\r\nloops:{}\r\n\r\n\
             # Clients\r\nconnected_clients:{}\r\nmaxclients:{}\r\n\r\n\
             # Memory\r\nused_memory:{}\r\nmaxmemory:{}\r\nmaxmemory_policy:noeviction\r\n\r\n\
             # Stats\r\ntotal_connections_received:{}\r\ntotal_commands_processed:{}\r\n\r\n\
             # Keyspace\r\n",
            env!("CARGO_PKG_VERSION"),
            std::process::id(),
            shared.port,
            shared.began.elapsed().as_secs(),
            shared.loops,
            shared.clients.load(Relaxed),
            shared.most_clients,
            figures.bytes,
            shared.memory,
            shared.accepted.load(Relaxed),
            shared.commands.load(Relaxed),
        );
        if figures.keys > 0 {
            let _ = write!(
                text,
                "db0:keys={},expires={},avg_ttl=0\r\n",
                figures.keys, figures.expiring
            );
        }
        resp::bulk(out, text.as_bytes());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.0.clients.fetch_sub(1, Relaxed);
    }
}
