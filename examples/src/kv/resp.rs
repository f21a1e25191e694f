//! Redis's protocol, version 2: requests taken apart where they lie, answers
//! written where they go. After "Redis serialization protocol specification".

use std::fmt;
use std::ops::Range;

/// What a request may ask for; more of it is a mistake, and ends the connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest key, in bytes.
    pub key: usize,
    /// The longest value or other argument, in bytes.
    pub value: usize,
    /// The most arguments of one request.
    pub arguments: usize,
    /// The longest request as a whole, in bytes.
    pub request: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            key: 64 << 10,
            value: 1 << 20,
            arguments: 16 << 10,
            request: 16 << 20,
        }
    }
}

/// Bytes that are no request, and how: what follows them cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProtocolError {
    /// Not a number, or one outside of the limits: of arguments.
    Arguments,
    /// Not a number, or one outside of the limits: of an argument's bytes.
    Length,
    /// Something else stands where an argument begins.
    Expected(u8),
    /// An argument does not end where its length says.
    End,
    /// The request as a whole is too long.
    TooLong,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protocol error: ")?;
        match self {
            Self::Arguments => f.write_str("invalid multibulk length"),
            Self::Length => f.write_str("invalid bulk length"),
            Self::Expected(got) => {
                write!(f, "expected '$', got '{}'", got.escape_ascii())
            }
            Self::End => f.write_str("an argument is longer than it says"),
            Self::TooLong => f.write_str("too big request"),
        }
    }
}

/// The arguments of one request: where they lie in the input.
pub type Arguments = Vec<Range<usize>>;

/// Finds the request that begins at `from`. `Some(end)`: it ends there, and
/// `arguments` tells where its parts lie (none: an empty line). `None`: there is
/// more to come.
///
/// # Errors
/// [`ProtocolError`], after which the connection is of no more use.
pub fn request(
    input: &[u8],
    from: usize,
    limits: &Limits,
    arguments: &mut Arguments,
) -> Result<Option<usize>, ProtocolError> {
    arguments.clear();
    let end = match input.get(from) {
        None => None,
        Some(b'*') => array(input, from, limits, arguments)?,
        Some(_) => line(input, from, limits, arguments)?,
    };
    if end.is_none() && input.len() - from > limits.request {
        return Err(ProtocolError::TooLong);
    }
    Ok(end)
}

fn array(
    input: &[u8],
    from: usize,
    limits: &Limits,
    arguments: &mut Arguments,
) -> Result<Option<usize>, ProtocolError> {
    let Some((count, mut at)) = number(input, from + 1).map_err(|()| ProtocolError::Arguments)?
    else {
        return Ok(None);
    };
    if count > limits.arguments {
        return Err(ProtocolError::Arguments);
    }
    for _ in 0..count {
        match input.get(at) {
            None => return Ok(None),
            Some(b'$') => {}
            Some(other) => return Err(ProtocolError::Expected(*other)),
        }
        let Some((length, start)) = number(input, at + 1).map_err(|()| ProtocolError::Length)?
        else {
            return Ok(None);
        };
        if length > limits.value {
            return Err(ProtocolError::Length);
        }
        let end = start + length;
        match input.get(end..end + 2) {
            Some(b"\r\n") => {}
            Some(_) => return Err(ProtocolError::End),
            None => return Ok(None),
        }
        arguments.push(start..end);
        at = end + 2;
    }
    Ok(Some(at))
}

/// A number and the end of its line; `None`: there is more to come.
fn number(input: &[u8], from: usize) -> Result<Option<(usize, usize)>, ()> {
    let mut value = 0usize;
    // No sensible count has more digits.
    for at in from..from + 12 {
        match input.get(at) {
            None => return Ok(None),
            Some(digit @ b'0'..=b'9') => value = value * 10 + usize::from(digit - b'0'),
            Some(b'\r') if at > from => {
                return match input.get(at + 1) {
                    None => Ok(None),
                    Some(b'\n') => Ok(Some((value, at + 2))),
                    Some(_) => Err(()),
                };
            }
            Some(_) => return Err(()),
        }
    }
    Err(())
}

/// A request as a person types it: words on a line, without quotes.
fn line(
    input: &[u8],
    from: usize,
    limits: &Limits,
    arguments: &mut Arguments,
) -> Result<Option<usize>, ProtocolError> {
    let rest = &input[from..];
    let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
        return match rest.len() > LINE {
            true => Err(ProtocolError::TooLong),
            false => Ok(None),
        };
    };
    let mut start = None;
    for (at, byte) in rest[..=length].iter().enumerate() {
        match (byte.is_ascii_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(began)) => {
                arguments.push(from + began..from + at);
                start = None;
            }
            _ => {}
        }
    }
    if length > LINE || arguments.len() > limits.arguments {
        return Err(ProtocolError::TooLong);
    }
    Ok(Some(from + length + 1))
}

/// The longest request on a line.
const LINE: usize = 64 << 10;

// ---- answers ----

/// The answer of a command that has nothing to tell.
pub const OK: &[u8] = b"+OK\r\n";
/// There is no such key.
pub const NIL: &[u8] = b"$-1\r\n";

/// A whole number.
pub fn integer(out: &mut Vec<u8>, value: i64) {
    out.push(b':');
    decimal(out, value);
    out.extend_from_slice(b"\r\n");
}

/// Bytes of any kind.
pub fn bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'$');
    // A slice is never longer than isize::MAX.
    decimal(out, bytes.len() as i64);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// The beginning of an array of so many answers.
pub fn array_of(out: &mut Vec<u8>, count: usize) {
    out.push(b'*');
    decimal(out, count as i64);
    out.extend_from_slice(b"\r\n");
}

/// A mistake; `why` begins with its kind (`ERR`, `OOM`) and is one line.
pub fn error(out: &mut Vec<u8>, why: &str) {
    out.push(b'-');
    out.extend(why.bytes().map(|byte| match byte {
        b'\r' | b'\n' => b' ',
        other => other,
    }));
    out.extend_from_slice(b"\r\n");
}

/// The most that a number takes in digits, with its sign.
pub const DIGITS: usize = 20;

/// A number in decimal digits.
pub fn digits(value: i64, room: &mut [u8; DIGITS]) -> &[u8] {
    let mut at = DIGITS;
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        room[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        room[at] = b'-';
    }
    &room[at..]
}

fn decimal(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(digits(value, &mut [0; DIGITS]));
}

/// The number that an integer answer holds.
pub fn as_integer(answer: &[u8]) -> Option<i64> {
    let digits = answer.strip_prefix(b":")?.strip_suffix(b"\r\n")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
#[path = "resp_tests.rs"]
mod tests;
