//! What a request asks for: the table of commands.

use super::batch::{Batch, Step};
use super::command::{NO_NUMBER, Only, Op, Set, SetAnswer, SetExpiry, as_number};
use super::resp::{self, Limits};
use std::ops::Range;

/// One request's words.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    /// The connection's input.
    pub input: &'a [u8],
    /// Where the words lie in it; at least one.
    pub places: &'a [Range<usize>],
}

impl<'a> Words<'a> {
    fn len(self) -> usize {
        self.places.len()
    }

    fn get(self, number: usize) -> &'a [u8] {
        &self.input[self.places[number].clone()]
    }

    fn is(self, number: usize, word: &str) -> bool {
        self.get(number).eq_ignore_ascii_case(word.as_bytes())
    }

    fn number(self, number: usize) -> Result<i64, Refusal> {
        as_number(self.get(number)).ok_or(Refusal::Says(NO_NUMBER))
    }
}

/// Why a request was not understood.
enum Refusal {
    /// Not so many words.
    Arity,
    /// Words in the wrong place.
    Syntax,
    /// A command that there is not.
    Unknown,
    /// A key that is too long.
    Key,
    /// Another mistake.
    Says(&'static str),
}

/// Plans one request: its steps go to the lanes, its answer among the steps.
pub fn plan(batch: &mut Batch, words: Words<'_>, limits: &Limits) {
    let mut name = [0; LONGEST];
    let word = words.get(0);
    let name = match name.get_mut(..word.len()) {
        Some(name) => {
            name.copy_from_slice(word);
            name.make_ascii_uppercase();
            &*name
        }
        None => b"",
    };
    let planned = check_keys(name, words, limits).and_then(|()| match shard(batch, name, words) {
        Err(Refusal::Unknown) => connection(batch, name, words),
        planned => planned,
    });
    let shown = || String::from_utf8_lossy(&word[..word.len().min(64)]).to_lowercase();
    match planned {
        Ok(()) => {}
        Err(Refusal::Arity) => batch.refuse(&format!(
            "ERR wrong number of arguments for '{}' command",
            shown()
        )),
        Err(Refusal::Syntax) => batch.refuse("ERR syntax error"),
        Err(Refusal::Unknown) => batch.refuse(&format!("ERR unknown command '{}'", shown())),
        Err(Refusal::Key) => {
            batch.refuse(&format!("ERR a key may have {} bytes at most", limits.key))
        }
        Err(Refusal::Says(why)) => batch.refuse(why),
    }
}

/// The longest name of a command.
const LONGEST: usize = 16;

/// Are all keys of the request short enough?
fn check_keys(name: &[u8], words: Words<'_>, limits: &Limits) -> Result<(), Refusal> {
    let step = match name {
        b"MSET" => 2,
        b"MGET" | b"DEL" | b"UNLINK" | b"EXISTS" => 1,
        // What follows the first word is one key, or none.
        _ => usize::MAX,
    };
    let mut keys = words.places.iter().skip(1).step_by(step);
    match keys.any(|key| key.len() > limits.key) {
        true => Err(Refusal::Key),
        false => Ok(()),
    }
}

/// The commands that shards answer.
fn shard(batch: &mut Batch, name: &[u8], words: Words<'_>) -> Result<(), Refusal> {
    match name {
        b"GET" => one(batch, words, 2, Op::Get),
        b"SET" => set(batch, words),
        b"INCR" => one(batch, words, 2, Op::Add(1)),
        b"DECR" => one(batch, words, 2, Op::Add(-1)),
        b"INCRBY" => {
            let by = arity(words, 3)?.number(2)?;
            one(batch, words, 3, Op::Add(by))
        }
        b"DECRBY" => {
            let by = arity(words, 3)?.number(2)?;
            let by = by.checked_neg().ok_or(Refusal::Says(NO_NUMBER))?;
            one(batch, words, 3, Op::Add(by))
        }
        b"MGET" => many(batch, words, Op::Get, Step::Array),
        b"MSET" => mset(batch, words),
        b"DEL" | b"UNLINK" => many(batch, words, Op::Remove, Step::Sum),
        b"EXISTS" => many(batch, words, Op::Exists, Step::Sum),
        b"EXPIRE" => expire(batch, words, 1_000),
        b"PEXPIRE" => expire(batch, words, 1),
        b"TTL" => one(batch, words, 2, Op::TimeLeft(1_000)),
        b"PTTL" => one(batch, words, 2, Op::TimeLeft(1)),
        b"PERSIST" => one(batch, words, 2, Op::Persist),
        b"SETNX" => set_as(batch, words, 3, SetExpiry::Never, SetAnswer::Number),
        b"GETSET" => set_as(batch, words, 3, SetExpiry::Never, SetAnswer::Old),
        b"SETEX" => set_for(batch, words, 1_000),
        b"PSETEX" => set_for(batch, words, 1),
        b"GETDEL" => one(batch, words, 2, Op::GetRemove),
        b"APPEND" => {
            let value = arity(words, 3)?.places[2].clone();
            with_value(batch, words, Op::Append, value)
        }
        b"STRLEN" => one(batch, words, 2, Op::Length),
        b"TYPE" => one(batch, words, 2, Op::Kind),
        b"DBSIZE" => all(batch, Op::Count, Step::Sum),
        b"FLUSHALL" | b"FLUSHDB" => all(batch, Op::Clear, Step::AllOk),
        b"INFO" => all(batch, Op::Figures, |_| Step::Info),
        _ => Err(Refusal::Unknown),
    }
}

/// The commands that the connection answers itself: enough of them for
/// `redis-cli` and `redis-benchmark` to feel at home.
fn connection(batch: &mut Batch, name: &[u8], words: Words<'_>) -> Result<(), Refusal> {
    match name {
        b"PING" => match words.len() {
            1 => batch.answer(|out| out.extend_from_slice(b"+PONG\r\n")),
            2 => batch.answer(|out| resp::bulk(out, words.get(1))),
            _ => return Err(Refusal::Arity),
        },
        b"ECHO" => {
            let word = arity(words, 2)?.get(1);
            batch.answer(|out| resp::bulk(out, word));
        }
        b"SELECT" => match arity(words, 2)?.number(1)? {
            0 => ok(batch),
            _ => return Err(Refusal::Says("ERR DB index is out of range")),
        },
        b"QUIT" => {
            ok(batch);
            batch.quit = true;
        }
        b"CLIENT" if words.len() > 1 => {
            if !words.is(1, "SETNAME") && !words.is(1, "SETINFO") {
                return Err(Refusal::Says("ERR unknown subcommand of CLIENT"));
            }
            ok(batch);
        }
        b"CONFIG" if words.len() == 3 && words.is(1, "GET") => {
            // Nothing is written to disk, whichever way one asks.
            let value = match () {
                () if words.is(2, "save") => Some(&b""[..]),
                () if words.is(2, "appendonly") => Some(&b"no"[..]),
                () => None,
            };
            batch.answer(|out| {
                resp::array_of(out, if value.is_some() { 2 } else { 0 });
                if let Some(value) = value {
                    resp::bulk(out, words.get(2));
                    resp::bulk(out, value);
                }
            });
        }
        b"COMMAND" => batch.answer(|out| resp::array_of(out, 0)),
        b"HELLO" if words.len() > 1 && !words.is(1, "2") => {
            return Err(Refusal::Says("NOPROTO unsupported protocol version"));
        }
        b"HELLO" => batch.answer(|out| {
            resp::array_of(out, 4);
            for word in ["server", "polyloop-kv", "proto"] {
                resp::bulk(out, word.as_bytes());
            }
            resp::integer(out, 2);
        }),
        _ => return Err(Refusal::Unknown),
    }
    Ok(())
}

fn arity(words: Words<'_>, count: usize) -> Result<Words<'_>, Refusal> {
    match words.len() == count {
        true => Ok(words),
        false => Err(Refusal::Arity),
    }
}

fn ok(batch: &mut Batch) {
    batch.answer(|out| out.extend_from_slice(resp::OK));
}

/// One step on the first word's key, of a request of `count` words.
fn one(batch: &mut Batch, words: Words<'_>, count: usize, op: Op) -> Result<(), Refusal> {
    let key = arity(words, count)?.places[1].clone();
    batch.push(op, words.input, key, 0..0);
    batch.steps.push(Step::One);
    Ok(())
}

fn with_value(
    batch: &mut Batch,
    words: Words<'_>,
    op: Op,
    value: Range<usize>,
) -> Result<(), Refusal> {
    batch.push(op, words.input, words.places[1].clone(), value);
    batch.steps.push(Step::One);
    Ok(())
}

/// The same step on every key.
fn many(
    batch: &mut Batch,
    words: Words<'_>,
    op: Op,
    step: fn(usize) -> Step,
) -> Result<(), Refusal> {
    let keys = &words.places[1..];
    if keys.is_empty() {
        return Err(Refusal::Arity);
    }
    for key in keys {
        batch.push(op, words.input, key.clone(), 0..0);
    }
    batch.steps.push(step(keys.len()));
    Ok(())
}

/// The same step on every shard.
fn all(batch: &mut Batch, op: Op, step: fn(usize) -> Step) -> Result<(), Refusal> {
    let count = batch.push_to_all(op);
    batch.steps.push(step(count));
    Ok(())
}

fn mset(batch: &mut Batch, words: Words<'_>) -> Result<(), Refusal> {
    let pairs = words.places[1..].chunks_exact(2);
    if pairs.len() == 0 || !pairs.remainder().is_empty() {
        return Err(Refusal::Arity);
    }
    batch.steps.push(Step::AllOk(pairs.len()));
    for pair in pairs {
        let op = Op::Set(Set::PLAIN);
        batch.push(op, words.input, pair[0].clone(), pair[1].clone());
    }
    Ok(())
}

fn expire(batch: &mut Batch, words: Words<'_>, unit: i64) -> Result<(), Refusal> {
    let after = arity(words, 3)?.number(2)?;
    let after = after.checked_mul(unit).ok_or(Refusal::Says(NO_TIME))?;
    one(batch, words, 3, Op::Expire(after))
}

fn set_as(
    batch: &mut Batch,
    words: Words<'_>,
    count: usize,
    expiry: SetExpiry,
    answer: SetAnswer,
) -> Result<(), Refusal> {
    let value = arity(words, count)?.places[count - 1].clone();
    let only = (answer == SetAnswer::Number).then_some(Only::Absent);
    let how = Set {
        expiry,
        only,
        answer,
    };
    with_value(batch, words, Op::Set(how), value)
}

fn set_for(batch: &mut Batch, words: Words<'_>, unit: u64) -> Result<(), Refusal> {
    let after = lifetime(arity(words, 4)?, 2, unit)?;
    set_as(batch, words, 4, after, SetAnswer::Ok)
}

/// `SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]`
fn set(batch: &mut Batch, words: Words<'_>) -> Result<(), Refusal> {
    if words.len() < 3 {
        return Err(Refusal::Arity);
    }
    let mut how = Set::PLAIN;
    let mut next = 3;
    while next < words.len() {
        let fresh = how.expiry == SetExpiry::Never;
        match () {
            () if words.is(next, "NX") && how.only.is_none() => how.only = Some(Only::Absent),
            () if words.is(next, "XX") && how.only.is_none() => how.only = Some(Only::Present),
            () if words.is(next, "GET") => how.answer = SetAnswer::Old,
            () if words.is(next, "KEEPTTL") && fresh => how.expiry = SetExpiry::AsItWas,
            () if fresh && next + 1 < words.len() => {
                let unit = match () {
                    () if words.is(next, "EX") => 1_000,
                    () if words.is(next, "PX") => 1,
                    () => return Err(Refusal::Syntax),
                };
                next += 1;
                how.expiry = lifetime(words, next, unit)?;
            }
            () => return Err(Refusal::Syntax),
        }
        next += 1;
    }
    with_value(batch, words, Op::Set(how), words.places[2].clone())
}

/// How long a value is to live: a word that is a positive number of units.
fn lifetime(words: Words<'_>, word: usize, unit: u64) -> Result<SetExpiry, Refusal> {
    let count = u64::try_from(words.number(word)?).unwrap_or(0);
    match count.checked_mul(unit) {
        None | Some(0) => Err(Refusal::Says(NO_TIME)),
        Some(after) => Ok(SetExpiry::After(after)),
    }
}

const NO_TIME: &str = "ERR invalid expire time";
