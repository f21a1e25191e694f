//! What an action says, bounded: the head and the tail are kept.

use std::collections::VecDeque;

/// Collects bytes; keeps the first and the last [`HALF`] of them.
#[derive(Debug, Default)]
pub struct Output {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Output {
    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let to_head = bytes.len().min(HALF - self.head.len());
        let (head, rest) = bytes.split_at(to_head);
        self.head.extend_from_slice(head);
        // Of a piece longer than the tail, only its end can stay.
        let kept = &rest[rest.len().saturating_sub(HALF)..];
        let surplus = (self.tail.len() + kept.len()).saturating_sub(HALF);
        self.tail.drain(..surplus);
        self.tail.extend(kept);
        self.left_out += (rest.len() - kept.len() + surplus) as u64;
    }

    /// Takes a line of text.
    pub fn line(&mut self, text: &str) {
        self.push(text.as_bytes());
        self.push(b"\n");
    }

    /// The text, with a note where bytes were left out. What is not UTF-8 shows as
    /// replacement characters, and so does NUL, which ends a text for many readers.
    #[must_use]
    pub fn into_text(self) -> String {
        let mut bytes = self.head;
        if self.left_out > 0 {
            let note = format!("\n… {} bytes left out …\n", self.left_out);
            bytes.extend_from_slice(note.as_bytes());
        }
        bytes.extend(self.tail);
        String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}")
    }
}

/// Bytes kept of the beginning, and as many of the end.
pub const HALF: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(pieces: &[&[u8]]) -> String {
        let mut output = Output::default();
        for piece in pieces {
            output.push(piece);
        }
        output.into_text()
    }

    #[test]
    fn what_fits_is_kept_whole() {
        assert_eq!(text_of(&[]), "");
        assert_eq!(text_of(&[b"one\n", b"two\n"]), "one\ntwo\n");
        let full = vec![b'x'; 2 * HALF];
        assert_eq!(text_of(&[&full]).len(), 2 * HALF);
        assert_eq!(
            text_of(&[&full[..HALF + 1], &full[HALF + 1..]]).len(),
            2 * HALF
        );
    }

    #[test]
    fn of_more_the_ends_are_kept_however_it_comes() {
        let all: Vec<u8> = (0..50_000_u32)
            .flat_map(|n| format!("{n}\n").into_bytes())
            .collect();
        let whole = text_of(&[&all]);
        for size in [1, 7, 1000, HALF, HALF + 1, 3 * HALF] {
            let pieces: Vec<&[u8]> = all.chunks(size).collect();
            assert_eq!(text_of(&pieces), whole, "pieces of {size}");
        }
        assert!(whole.starts_with("0\n1\n") && whole.ends_with("49998\n49999\n"));
        assert!(whole.contains(&format!("… {} bytes left out …", all.len() - 2 * HALF)));
    }

    #[test]
    fn what_is_not_text_is_shown_as_such() {
        assert_eq!(text_of(&[b"a\0b\xff"]), "a\u{fffd}b\u{fffd}");
    }
}
