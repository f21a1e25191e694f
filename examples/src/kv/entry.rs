//! One key of a shard's table, with its value.
//!
//! On a large table the trips to memory are where the time goes. So an entry
//! takes one line of the processor's cache, and a key and a value that are short
//! lie in it: who has found the entry has both.

use std::num::NonZero;

/// Milliseconds of the loop's own time.
pub type Millis = u64;

/// A key's place in the order of expiry; unique, since equal moments are told
/// apart by a number.
pub type Expiry = (Millis, NonZero<u64>);

/// A key and a value lie in the entry when they are no longer than this together.
pub const SHORT: usize = 37;

/// A key and its value.
#[repr(align(64))]
pub struct Entry {
    /// The key's, for when the table grows.
    pub hash: u64,
    /// When it expires, if ever.
    pub expiry: Option<Expiry>,
    body: Body,
}

const _: () = assert!(size_of::<Entry>() == 64);

/// The key and behind it the value: `bytes[..key]`, and from there.
enum Body {
    Short {
        key: u8,
        end: u8,
        bytes: [u8; SHORT],
    },
    Long {
        key: usize,
        bytes: Vec<u8>,
    },
}

impl Body {
    fn new(key: &[u8], value: &[u8]) -> Self {
        let end = key.len() + value.len();
        if end > SHORT {
            let bytes = [key, value].concat();
            let key = key.len();
            return Self::Long { key, bytes };
        }
        let mut bytes = [0; SHORT];
        bytes[..key.len()].copy_from_slice(key);
        bytes[key.len()..end].copy_from_slice(value);
        let (key, end) = (key.len() as u8, end as u8);
        Self::Short { key, end, bytes }
    }
}

impl Entry {
    /// An entry that never expires.
    #[must_use]
    pub fn new(hash: u64, key: &[u8], value: &[u8]) -> Self {
        Self {
            hash,
            expiry: None,
            body: Body::new(key, value),
        }
    }

    /// Key and value, where the one ends and the other begins.
    #[inline]
    fn parts(&self) -> (&[u8], &[u8]) {
        match &self.body {
            Body::Short { key, end, bytes } => bytes[..usize::from(*end)].split_at((*key).into()),
            Body::Long { key, bytes } => bytes.split_at(*key),
        }
    }

    /// Its key.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.parts().0
    }

    /// Its value.
    #[inline]
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.parts().1
    }

    /// How long key and value are together.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.body {
            Body::Short { end, .. } => usize::from(*end),
            Body::Long { bytes, .. } => bytes.len(),
        }
    }

    /// Gives it another value, where the old one lies if there is room.
    pub fn set_value(&mut self, value: &[u8]) {
        match &mut self.body {
            Body::Short { key, end, bytes } => {
                let start = usize::from(*key);
                if let Some(room) = bytes[start..].get_mut(..value.len()) {
                    room.copy_from_slice(value);
                    *end = (start + value.len()) as u8;
                    return;
                }
            }
            Body::Long { key, bytes } if *key + value.len() > SHORT => {
                bytes.truncate(*key);
                bytes.extend_from_slice(value);
                if bytes.capacity() > 2 * bytes.len() + 64 {
                    bytes.shrink_to_fit();
                }
                return;
            }
            Body::Long { .. } => {}
        }
        self.body = Body::new(self.key(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_whatever_its_length_and_the_one_before() {
        let lengths = [0, 1, SHORT - 3, SHORT - 2, 2 * SHORT, 1 << 12];
        for before in lengths {
            for after in lengths {
                let mut entry = Entry::new(7, b"key", &vec![1; before]);
                assert_eq!(entry.key(), b"key");
                assert_eq!(entry.value(), vec![1; before]);
                entry.set_value(&vec![2; after]);
                assert_eq!(entry.key(), b"key");
                assert_eq!(entry.value(), vec![2; after]);
                assert_eq!(entry.len(), 3 + after);
            }
        }
    }

    #[test]
    fn what_is_short_again_takes_no_memory_of_its_own() {
        let mut entry = Entry::new(7, b"key", &[1; 100]);
        assert!(matches!(entry.body, Body::Long { .. }));
        entry.set_value(&[2; SHORT - 3]);
        assert!(matches!(entry.body, Body::Short { .. }));
    }

    #[test]
    fn a_key_may_be_long_itself() {
        let mut entry = Entry::new(7, &[9; 300], b"");
        entry.set_value(b"x");
        assert_eq!((entry.key(), entry.value()), (&[9; 300][..], &b"x"[..]));
    }
}
