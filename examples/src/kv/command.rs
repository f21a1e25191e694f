//! What a shard does with one key: the commands, after the router has found the
//! key's shard.

use super::entry::Millis;
use super::resp;
use super::store::{Figures, Full, Keep, Key, Store};

/// One step of a command, on one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// The value.
    Get,
    /// The value, which is then removed.
    GetRemove,
    /// Sets the value.
    Set(Set),
    /// Adds bytes to the value's end; answers its length.
    Append,
    /// The value's length.
    Length,
    /// Adds to the number that the value is; answers the sum.
    Add(i64),
    /// Removes the key; answers whether it was there.
    Remove,
    /// Answers whether it is there.
    Exists,
    /// What kind of value it is: always a string.
    Kind,
    /// Lets it expire after so many milliseconds.
    Expire(i64),
    /// Lets it never expire.
    Persist,
    /// How long it has to live, in these many milliseconds a unit.
    TimeLeft(u64),
    /// How many keys the shard has.
    Count,
    /// Removes all keys.
    Clear,
    /// The shard's figures, for `INFO`.
    Figures,
}

/// How a value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set {
    /// When it expires: milliseconds from now, or as it was, or never.
    pub expiry: SetExpiry,
    /// Only if the key is there, or only if it is not.
    pub only: Option<Only>,
    /// What is answered.
    pub answer: SetAnswer,
}

impl Set {
    /// As `SET key value` does.
    pub const PLAIN: Self = Self {
        expiry: SetExpiry::Never,
        only: None,
        answer: SetAnswer::Ok,
    };
}

/// When a value that is set expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetExpiry {
    /// Never.
    Never,
    /// When the old value would have.
    AsItWas,
    /// After so many milliseconds.
    After(u64),
}

/// The state that a key has to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// `NX`.
    Absent,
    /// `XX`.
    Present,
}

/// What `SET` and its kin answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAnswer {
    /// OK, or nil if it was not set.
    Ok,
    /// 1, or 0 if it was not set.
    Number,
    /// The value before.
    Old,
}

/// Does one step, and writes its answer.
pub fn execute(
    store: &mut Store,
    op: Op,
    key: Key<'_>,
    value: &[u8],
    now: Millis,
    out: &mut Vec<u8>,
) {
    match op {
        Op::Get => or_nil(out, store.get(key, now)),
        Op::GetRemove => {
            or_nil(out, store.get(key, now));
            store.remove(key, now);
        }
        Op::Set(how) => set(store, how, key, value, now, out),
        Op::Append => append(store, key, value, now, out),
        Op::Length => number(out, store.get(key, now).map_or(0, <[u8]>::len)),
        Op::Add(by) => add(store, by, key, now, out),
        Op::Remove => number(out, usize::from(store.remove(key, now))),
        Op::Exists => number(out, usize::from(store.get(key, now).is_some())),
        Op::Kind => out.extend_from_slice(match store.get(key, now) {
            Some(_) => b"+string\r\n",
            None => b"+none\r\n",
        }),
        Op::Expire(after) => {
            let moment = now.saturating_add_signed(after);
            let there = store.expire(key, Keep::Until(moment), now);
            number(out, usize::from(there));
        }
        Op::Persist => {
            let expires = matches!(store.expiry(key, now), Some(Some(_)));
            if expires {
                store.expire(key, Keep::Forever, now);
            }
            number(out, usize::from(expires));
        }
        Op::TimeLeft(unit) => time_left(store, unit, key, now, out),
        Op::Count => number(out, store.figures().keys),
        Op::Clear => {
            store.clear();
            out.extend_from_slice(resp::OK);
        }
        Op::Figures => {
            let figures = store.figures();
            for figure in [figures.keys, figures.expiring, figures.bytes] {
                number(out, figure);
            }
        }
    }
}

/// The figures that [`Op::Figures`] answers.
#[must_use]
pub fn read_figures(answer: &[u8]) -> Figures {
    let mut numbers = answer
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| resp::as_integer(line).and_then(|number| usize::try_from(number).ok()));
    let mut next = || numbers.next().flatten().unwrap_or(0);
    Figures {
        keys: next(),
        expiring: next(),
        bytes: next(),
    }
}

fn or_nil(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => resp::bulk(out, value),
        None => out.extend_from_slice(resp::NIL),
    }
}

fn number(out: &mut Vec<u8>, value: usize) {
    // Counts of what is in memory: far below i64::MAX.
    resp::integer(out, value as i64);
}

fn set(store: &mut Store, how: Set, key: Key<'_>, value: &[u8], now: Millis, out: &mut Vec<u8>) {
    let keep = match how.expiry {
        SetExpiry::Never => Keep::Forever,
        SetExpiry::AsItWas => Keep::AsItWas,
        SetExpiry::After(after) => Keep::Until(now.saturating_add(after)),
    };
    let begin = out.len();
    let allowed = match (how.only, how.answer) {
        (None, SetAnswer::Ok | SetAnswer::Number) => true,
        (only, answer) => {
            let old = store.get(key, now);
            if answer == SetAnswer::Old {
                or_nil(out, old);
            }
            only.is_none_or(|only| (only == Only::Present) == old.is_some())
        }
    };
    if allowed && store.set(key, value, keep, now) == Err(Full) {
        out.truncate(begin);
        return resp::error(out, FULL);
    }
    match (how.answer, allowed) {
        (SetAnswer::Ok, true) => out.extend_from_slice(resp::OK),
        (SetAnswer::Ok, false) => out.extend_from_slice(resp::NIL),
        (SetAnswer::Number, allowed) => number(out, usize::from(allowed)),
        (SetAnswer::Old, _) => {}
    }
}

fn append(store: &mut Store, key: Key<'_>, more: &[u8], now: Millis, out: &mut Vec<u8>) {
    let mut value = store.get(key, now).unwrap_or_default().to_vec();
    value.extend_from_slice(more);
    match store.set(key, &value, Keep::AsItWas, now) {
        Ok(()) => number(out, value.len()),
        Err(Full) => resp::error(out, FULL),
    }
}

fn add(store: &mut Store, by: i64, key: Key<'_>, now: Millis, out: &mut Vec<u8>) {
    let mut found = store.find(key, now);
    let old = found
        .as_ref()
        .map_or(Some(0), |found| as_number(found.value()));
    let Some(old) = old else {
        return resp::error(out, NO_NUMBER);
    };
    let Some(sum) = old.checked_add(by) else {
        return resp::error(out, "ERR increment or decrement would overflow");
    };
    let mut digits = [0; resp::DIGITS];
    let digits = resp::digits(sum, &mut digits);
    let set = match &mut found {
        Some(found) => found.set(digits),
        None => store.set(key, digits, Keep::Forever, now),
    };
    match set {
        Ok(()) => resp::integer(out, sum),
        Err(Full) => resp::error(out, FULL),
    }
}

/// A whole number, written as Redis would write it.
#[must_use]
pub fn as_number(bytes: &[u8]) -> Option<i64> {
    let canonical = matches!(bytes, [b'0'] | [b'-', b'1'..=b'9', ..] | [b'1'..=b'9', ..]);
    if !canonical || bytes.len() > 20 {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn time_left(store: &mut Store, unit: u64, key: Key<'_>, now: Millis, out: &mut Vec<u8>) {
    let left = match store.expiry(key, now) {
        None => -2,
        Some(None) => -1,
        // Rounded to the nearest, as Redis does: 10 seconds are 10 at once
        // after they were set.
        Some(Some(moment)) => {
            let left = moment.saturating_sub(now);
            i64::try_from(left.saturating_add(unit / 2) / unit).unwrap_or(i64::MAX)
        }
    };
    resp::integer(out, left);
}

const FULL: &str = "OOM command not allowed: the shard of this key is full";
/// The answer where a number was asked for.
pub const NO_NUMBER: &str = "ERR value is not an integer or out of range";

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
