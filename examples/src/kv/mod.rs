//! `kv`: a Redis-protocol server with one shard of the keys a loop.
//!
//! ```text
//!   client ──▶ connection, on the loop whose turn it was
//!                │ plan: a batch of requests, a lane a shard      (request, batch)
//!                ├── own shard's lane: done here and now ──────┐
//!                └── other shards' lanes: one submission each ─┤  (lane, shards)
//!                                                              ▼
//!                answers put together in order ◀── each lane's answers
//! ```
//! A shard is its loop's alone: a plain table, no lock, no atomic. What crosses
//! threads is a lane, moved there and back by [`Sharded`].
//!
//! [`Sharded`]: polyloop_bridge::Sharded
//!
//! Single keys are atomic; `MSET` and `DEL` of keys in several shards are done
//! shard by shard. Nothing is kept on disk. Keys, values, requests, memory and
//! clients are bounded.

mod batch;
mod cli;
mod command;
mod connection;
mod entry;
mod info;
mod lane;
mod request;
mod resp;
mod server;
mod shards;
mod store;

pub use cli::main;
