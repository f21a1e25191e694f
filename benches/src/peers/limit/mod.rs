//! The limit: what the machine gives to code that is written by hand for one
//! scenario and can do nothing else.

mod across;
mod servers;

use super::Peer;

/// Raw sockets, a futex, two threads that spin.
pub fn limit() -> Peer {
    let mut runs = across::RUNS.to_vec();
    runs.extend(servers::RUNS);
    Peer {
        name: "limit",
        about: "by hand for each scenario: bare mio, blocking sockets, a futex, spinning threads"
            .to_owned(),
        lacks: |_| None,
        runs,
    }
}

/// A server that does not sleep between two requests.
pub fn spin() -> Peer {
    Peer {
        name: "limit-spin",
        about: "bare mio, looks for 200 µs before it sleeps".to_owned(),
        lacks: |_| None,
        runs: servers::SPINNING_RUNS.to_vec(),
    }
}

/// Two threads that wake each other through an eventfd each.
#[cfg(target_os = "linux")]
pub fn eventfd() -> Peer {
    Peer {
        name: "limit-eventfd",
        about: "two threads, an eventfd each way".to_owned(),
        lacks: |_| None,
        runs: across::EVENTFD_RUNS.to_vec(),
    }
}
