//! One client: reads what it asks, sends each command to the loop that owns the
//! key, and writes the answers in the order of the questions.
//!
//! All requests that have come in together make one batch. The steps of one
//! shard travel together: however long a client's pipeline is, it costs each
//! other loop one submission. The next batch is read when this one is answered,
//! so a client's commands take effect in its own order, and a client that does
//! not read is not read from.

use super::batch::{Batch, Router, Step};
use super::command;
use super::info::Info;
use super::lane::Lane;
use super::request::{Words, plan};
use super::resp::{self, Arguments, Limits};
use super::shards::Shards;
use super::store::Figures;
use futures::{AsyncReadExt, AsyncWriteExt};
use polyloop::net::TcpStream;
use polyloop_bridge::shard::Invocation;
use std::io;

/// Requests of one batch, at most.
const BATCH: usize = 1_024;
/// What is read at a time, to begin with.
const INPUT: usize = 16 << 10;
/// Answers are written when they are longer than this, or when all are there.
const OUTPUT: usize = 64 << 10;

/// A client's connection.
pub struct Connection {
    stream: TcpStream,
    shards: Shards,
    limits: Limits,
    info: Info,
    batch: Batch,
    /// What has come and was not asked yet: `input[start..end]`.
    input: Vec<u8>,
    start: usize,
    end: usize,
    output: Vec<u8>,
    /// Steps whose answer was taken.
    taken: usize,
}

impl Connection {
    /// A connection that has just been accepted.
    #[must_use]
    pub fn new(
        stream: TcpStream,
        shards: Shards,
        router: Router,
        limits: Limits,
        info: Info,
    ) -> Self {
        Self {
            batch: Batch::new(router, shards.home),
            stream,
            shards,
            limits,
            info,
            input: vec![0; INPUT],
            start: 0,
            end: 0,
            output: Vec::new(),
            taken: 0,
        }
    }

    /// Serves the client until it leaves.
    ///
    /// # Errors
    /// The connection's; or the service is ending.
    pub async fn serve(mut self) -> io::Result<()> {
        let mut arguments = Arguments::new();
        loop {
            let understood = self.plan(&mut arguments);
            if !self.batch.steps.is_empty() {
                self.info.count(self.batch.steps.len());
                self.answer().await?;
            }
            if let Err(mistake) = &understood {
                resp::error(&mut self.output, &format!("ERR {mistake}"));
            }
            let over = understood.is_err() || self.batch.quit;
            // With more requests here already, the answers wait for theirs.
            if over || !understood.unwrap_or(false) {
                self.flush().await?;
                if over || !self.read().await? {
                    return Ok(());
                }
            }
        }
    }

    /// Plans the requests that are here whole; true if there may be more.
    fn plan(&mut self, arguments: &mut Arguments) -> Result<bool, resp::ProtocolError> {
        let input = &self.input[..self.end];
        while self.batch.steps.len() < BATCH && !self.batch.quit {
            let end = match resp::request(input, self.start, &self.limits, arguments)? {
                Some(end) => end,
                None => return Ok(false),
            };
            self.start = end;
            if !arguments.is_empty() {
                let words = Words {
                    input,
                    places: arguments,
                };
                plan(&mut self.batch, words, &self.limits);
            }
        }
        Ok(true)
    }

    /// Reads more; false at the end of what the client sends.
    async fn read(&mut self) -> io::Result<bool> {
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.input.len() {
            // A long request: it is bounded by the parser.
            self.input.resize(2 * self.input.len(), 0);
        } else if self.end == 0 && self.input.len() > INPUT {
            self.input.truncate(INPUT);
            self.input.shrink_to_fit();
        }
        let count = self.stream.read(&mut self.input[self.end..]).await?;
        self.end += count;
        Ok(count > 0)
    }

    /// Lets the shards do the batch, and puts the answers together.
    async fn answer(&mut self) -> io::Result<()> {
        self.run_all().await?;
        self.taken = 0;
        let mut own = 0;
        for number in 0..self.batch.steps.len() {
            match self.batch.steps[number] {
                Step::Own(length) => {
                    let answer = &self.batch.own[own..own + length];
                    self.output.extend_from_slice(answer);
                    own += length;
                }
                Step::One => self.copy().await?,
                Step::Array(count) => {
                    resp::array_of(&mut self.output, count);
                    for _ in 0..count {
                        self.copy().await?;
                    }
                }
                Step::Sum(count) => self.sum(count).await?,
                Step::AllOk(count) => self.all_ok(count).await?,
                Step::Info => self.tell_info().await?,
            }
            if self.output.len() > OUTPUT {
                self.flush().await?;
            }
        }
        self.batch.reset();
        Ok(())
    }

    /// Runs every lane: the other loops work while this one does its own part.
    async fn run_all(&mut self) -> io::Result<()> {
        let home = self.shards.home;
        let mut sent = Vec::new();
        for shard in 0..self.batch.lanes.len() {
            if shard != home && self.batch.lanes[shard].has_work() {
                sent.push((shard, self.send(shard)));
            }
        }
        self.run_home();
        for (shard, answered) in sent {
            self.batch.lanes[shard] = answered.await.map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn run_home(&mut self) {
        let lane = &mut self.batch.lanes[self.shards.home];
        if lane.has_work() {
            self.shards.run_here(lane, &self.input);
        }
    }

    fn send(&mut self, shard: usize) -> Invocation<Lane> {
        let lane = std::mem::take(&mut self.batch.lanes[shard]);
        self.shards.send(shard, lane)
    }

    /// The next step's answer goes to the output.
    #[inline]
    async fn copy(&mut self) -> io::Result<()> {
        let lane = self.next_lane().await?;
        if let Some(answer) = self.batch.lanes[lane].next() {
            self.output.extend_from_slice(answer);
        }
        Ok(())
    }

    /// The lane that has the next step's answer.
    #[inline]
    async fn next_lane(&mut self) -> io::Result<usize> {
        let lane = usize::from(self.batch.places[self.taken]);
        self.taken += 1;
        if !self.batch.lanes[lane].has_answer() {
            self.go_on(lane).await?;
        }
        Ok(lane)
    }

    /// A lane has paused: what is there is written, then it goes on.
    #[cold]
    async fn go_on(&mut self, lane: usize) -> io::Result<()> {
        self.flush().await?;
        if lane == self.shards.home {
            self.run_home();
        } else {
            let answered = self.send(lane);
            self.batch.lanes[lane] = answered.await.map_err(io::Error::other)?;
        }
        Ok(())
    }

    async fn sum(&mut self, count: usize) -> io::Result<()> {
        let mut sum = 0;
        for _ in 0..count {
            let lane = self.next_lane().await?;
            let answer = self.batch.lanes[lane].next();
            sum += answer.and_then(resp::as_integer).unwrap_or(0);
        }
        resp::integer(&mut self.output, sum);
        Ok(())
    }

    async fn all_ok(&mut self, count: usize) -> io::Result<()> {
        let mut mistake = None;
        for _ in 0..count {
            let lane = self.next_lane().await?;
            let answer = self.batch.lanes[lane].next();
            let wrong = answer.filter(|answer| *answer != resp::OK);
            mistake = mistake.or_else(|| wrong.map(<[u8]>::to_vec));
        }
        let answer = mistake.as_deref().unwrap_or(resp::OK);
        self.output.extend_from_slice(answer);
        Ok(())
    }

    async fn tell_info(&mut self) -> io::Result<()> {
        let mut figures = Figures::default();
        for _ in 0..self.batch.lanes.len() {
            let lane = self.next_lane().await?;
            if let Some(answer) = self.batch.lanes[lane].next() {
                figures.add(command::read_figures(answer));
            }
        }
        self.info.tell(figures, &mut self.output);
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).await?;
            self.output.clear();
            self.output.shrink_to(2 * OUTPUT);
        }
        Ok(())
    }
}
