//! The page at `/`: one document with its style and its script inside.
//!
//! It is the same for everybody and changes never, so its policy can name the two
//! inline blocks by their hashes: nothing else runs or loads, whatever a job's
//! name or output may hold.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// The page and the policy that goes with it.
pub struct Page {
    /// The document.
    pub html: String,
    /// The value of `Content-Security-Policy`.
    pub policy: String,
}

/// The page, put together at its first use.
#[must_use]
pub fn page() -> &'static Page {
    static PAGE: LazyLock<Page> = LazyLock::new(|| {
        let script = [include_str!("page.js"), include_str!("live.js")].concat();
        let style = include_str!("page.css");
        let html = include_str!("page.html").replace("{{style}}", style);
        Page {
            policy: format!(
                "default-src 'none'; connect-src 'self'; img-src data:; \
                 style-src 'sha256-{}'; script-src 'sha256-{}'; \
                 base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                base64(&Sha256::digest(style)),
                base64(&Sha256::digest(&script)),
            ),
            html: html.replace("{{script}}", &script),
        }
    });
    &PAGE
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(*group.get(index).unwrap_or(&0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]);
            text.push(if place <= group.len() { letter } else { '=' });
        }
    }
    text
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_page_is_whole_and_asks_for_nothing_from_outside() {
        let page = page();
        assert!(!page.html.contains("{{"), "every placeholder is filled");
        let without_namespace = page.html.replace("http://www.w3.org/2000/svg", "");
        assert!(!without_namespace.contains("http:") && !without_namespace.contains("https:"));
        assert!(!page.html.contains("innerHTML"), "text stays text");
        assert!(
            !page.html.contains("style=\""),
            "the policy has no place for it"
        );
    }
}
