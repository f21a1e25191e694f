//! One shard of the keys: a table, when its keys expire, and how much room they
//! take. One loop's alone, so nothing here is shared or locked.

use super::entry::{Entry, Expiry, Millis};
use hashbrown::HashTable;
use std::collections::BTreeMap;
use std::num::NonZero;

/// What a key costs beside its bytes: the entry, the allocation of what is not
/// short, and its share of the table's free places, roughly.
const OVERHEAD: usize = 96;

/// A key with the hash that the router has computed of it.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// The same for the same bytes on all shards.
    pub hash: u64,
    /// The key itself.
    pub bytes: &'a [u8],
}

/// The shard has no room for more; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// When a key is to expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Never.
    Forever,
    /// As it was; never, if it is new.
    AsItWas,
    /// At this moment.
    Until(Millis),
}

/// A shard's figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Keys that are there.
    pub keys: usize,
    /// Those of them that will expire.
    pub expiring: usize,
    /// Bytes taken, roughly.
    pub bytes: usize,
}

impl Figures {
    /// Adds another shard's.
    pub fn add(&mut self, other: Self) {
        self.keys += other.keys;
        self.expiring += other.expiring;
        self.bytes += other.bytes;
    }
}

/// Keys and values of one loop.
pub struct Store {
    table: HashTable<Entry>,
    expiries: BTreeMap<Expiry, u64>,
    /// Tells places of the same moment apart.
    number: NonZero<u64>,
    bytes: usize,
    limit: usize,
}

impl Store {
    /// An empty shard that takes `limit` bytes at most.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            table: HashTable::new(),
            expiries: BTreeMap::new(),
            number: NonZero::<u64>::MIN,
            bytes: 0,
            limit,
        }
    }

    /// Looks where a key of this hash lies, so that it is in the cache soon: on a
    /// large table the trips to memory of several keys overlap when their looks
    /// follow each other.
    pub fn touch(&self, hash: u64) {
        let look = |entry: &Entry| {
            std::hint::black_box(entry.key().first());
            true
        };
        std::hint::black_box(self.table.find(hash, look).is_some());
    }

    /// The value of a key that has not expired.
    pub fn get(&mut self, key: Key<'_>, now: Millis) -> Option<&[u8]> {
        self.find(key, now).map(Found::into_value)
    }

    /// A key that has not expired, to be read and changed.
    pub fn find(&mut self, key: Key<'_>, now: Millis) -> Option<Found<'_>> {
        let entry = live(
            &mut self.table,
            &mut self.expiries,
            &mut self.bytes,
            key,
            now,
        )?;
        Some(Found {
            entry,
            bytes: &mut self.bytes,
            limit: self.limit,
        })
    }

    /// Sets a key's value.
    ///
    /// # Errors
    /// [`Full`]; the key is as it was then.
    pub fn set(&mut self, key: Key<'_>, value: &[u8], keep: Keep, now: Millis) -> Result<(), Full> {
        let Some(mut found) = self.find(key, now) else {
            return self.insert(key, value, keep);
        };
        found.set(value)?;
        let expires = found.entry.expiry.is_some();
        if !(keep == Keep::AsItWas || keep == Keep::Forever && !expires) {
            self.expire_at(key, keep);
        }
        Ok(())
    }

    fn insert(&mut self, key: Key<'_>, value: &[u8], keep: Keep) -> Result<(), Full> {
        let more = key.bytes.len() + value.len() + OVERHEAD;
        if self.bytes + more > self.limit {
            return Err(Full);
        }
        let entry = Entry::new(key.hash, key.bytes, value);
        self.table
            .insert_unique(key.hash, entry, |entry| entry.hash);
        self.bytes += more;
        if let Keep::Until(_) = keep {
            self.expire_at(key, keep);
        }
        Ok(())
    }

    /// Removes a key; was it there?
    pub fn remove(&mut self, key: Key<'_>, now: Millis) -> bool {
        if self.find(key, now).is_none() {
            return false;
        }
        self.take(key.hash, |entry| entry.key() == key.bytes);
        true
    }

    /// Decides when a key expires; was it there?
    pub fn expire(&mut self, key: Key<'_>, keep: Keep, now: Millis) -> bool {
        if self.find(key, now).is_none() {
            return false;
        }
        match keep {
            Keep::Until(moment) if moment <= now => {
                self.take(key.hash, |entry| entry.key() == key.bytes);
            }
            _ => self.expire_at(key, keep),
        }
        true
    }

    /// When the key expires: `None`: no such key. `Some(None)`: never.
    pub fn expiry(&mut self, key: Key<'_>, now: Millis) -> Option<Option<Millis>> {
        let found = self.find(key, now)?;
        Some(found.entry.expiry.map(|(moment, _)| moment))
    }

    /// Removes up to `most` keys whose time has come; how many there were.
    pub fn sweep(&mut self, now: Millis, most: usize) -> usize {
        let mut swept = 0;
        while swept < most
            && let Some((&due, &hash)) = self.expiries.first_key_value()
            && due.0 <= now
        {
            self.take(hash, |entry| entry.expiry == Some(due));
            swept += 1;
        }
        swept
    }

    /// When the next key expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Millis> {
        let (first, _) = self.expiries.first_key_value()?;
        Some(first.0)
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.limit);
    }

    /// The shard's figures; keys that have expired and were not swept count.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            keys: self.table.len(),
            expiring: self.expiries.len(),
            bytes: self.bytes,
        }
    }

    /// Takes an entry that is there out of the table and the order of expiry.
    fn take(&mut self, hash: u64, is_it: impl Fn(&Entry) -> bool) {
        if let Ok(entry) = self.table.find_entry(hash, is_it) {
            let (entry, _) = entry.remove();
            self.bytes -= size(&entry);
            if let Some(expiry) = entry.expiry {
                self.expiries.remove(&expiry);
            }
        }
    }

    /// Gives an entry that is there a new place in the order of expiry.
    fn expire_at(&mut self, key: Key<'_>, keep: Keep) {
        // Never used up: that many take centuries.
        self.number = self.number.saturating_add(1);
        let expiry = match keep {
            Keep::Until(moment) => Some((moment, self.number)),
            Keep::Forever => None,
            Keep::AsItWas => return,
        };
        let is_it = |entry: &Entry| entry.key() == key.bytes;
        let Some(entry) = self.table.find_mut(key.hash, is_it) else {
            return;
        };
        let old = std::mem::replace(&mut entry.expiry, expiry);
        if let Some(old) = old {
            self.expiries.remove(&old);
        }
        if let Some(expiry) = expiry {
            self.expiries.insert(expiry, key.hash);
        }
    }
}

fn size(entry: &Entry) -> usize {
    entry.len() + OVERHEAD
}

/// The entry of a key, removed first if its time has come.
fn live<'a>(
    table: &'a mut HashTable<Entry>,
    expiries: &mut BTreeMap<Expiry, u64>,
    bytes: &mut usize,
    key: Key<'_>,
    now: Millis,
) -> Option<&'a mut Entry> {
    let is_it = |entry: &Entry| entry.key() == key.bytes;
    let found = table.find_entry(key.hash, is_it).ok()?;
    let due = found.get().expiry.filter(|(moment, _)| *moment <= now);
    let Some(due) = due else {
        return Some(found.into_mut());
    };
    let (entry, _) = found.remove();
    *bytes -= size(&entry);
    expiries.remove(&due);
    None
}

/// A key that is there.
pub struct Found<'a> {
    entry: &'a mut Entry,
    bytes: &'a mut usize,
    limit: usize,
}

impl<'a> Found<'a> {
    /// Its value.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.entry.value()
    }

    fn into_value(self) -> &'a [u8] {
        self.entry.value()
    }

    /// Gives it another value; when it expires stays as it was.
    ///
    /// # Errors
    /// [`Full`]; the value is as it was then.
    pub fn set(&mut self, value: &[u8]) -> Result<(), Full> {
        let before = self.entry.value().len();
        let after = *self.bytes - before + value.len();
        if after > self.limit && value.len() > before {
            return Err(Full);
        }
        self.entry.set_value(value);
        *self.bytes = after;
        Ok(())
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
