use super::*;

/// A request's words, and where it ends.
type Found<'a> = (Vec<&'a [u8]>, usize);

fn parts(input: &[u8]) -> Result<Option<Found<'_>>, ProtocolError> {
    let mut arguments = Arguments::new();
    let end = request(input, 0, &Limits::default(), &mut arguments)?;
    let parts = arguments
        .iter()
        .map(|range| &input[range.clone()])
        .collect();
    Ok(end.map(|end| (parts, end)))
}

#[test]
fn a_request_is_found_at_every_cut_or_not_at_all() {
    let whole = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n";
    for cut in 0..whole.len() {
        assert_eq!(parts(&whole[..cut]), Ok(None), "cut at {cut}");
    }
    let (found, end) = parts(whole).unwrap().unwrap();
    assert_eq!(found, [&b"SET"[..], b"k", b"a\r\nb"]);
    assert_eq!(end, whole.len());
}

#[test]
fn a_line_is_a_request_too() {
    let (found, end) = parts(b"  get  key\r\nPING\r\n").unwrap().unwrap();
    assert_eq!(found, [&b"get"[..], b"key"]);
    assert_eq!(end, 12);
    assert_eq!(parts(b"\r\n").unwrap().unwrap(), (vec![], 2));
    assert_eq!(parts(b"PING"), Ok(None));
}

#[test]
fn what_is_no_request_is_told() {
    assert_eq!(parts(b"*x\r\n"), Err(ProtocolError::Arguments));
    assert_eq!(parts(b"*-1\r\n"), Err(ProtocolError::Arguments));
    assert_eq!(parts(b"*99999999\r\n"), Err(ProtocolError::Arguments));
    assert_eq!(parts(b"*1\r\n:1\r\n"), Err(ProtocolError::Expected(b':')));
    assert_eq!(parts(b"*1\r\n$-1\r\n"), Err(ProtocolError::Length));
    assert_eq!(parts(b"*1\r\n$99999999\r\n"), Err(ProtocolError::Length));
    assert_eq!(parts(b"*1\r\n$1\r\nab\r\n"), Err(ProtocolError::End));
    assert_eq!(parts(&[b'x'; LINE + 1]), Err(ProtocolError::TooLong));
}

#[test]
fn a_request_that_never_ends_is_cut_off() {
    let limits = Limits {
        request: 64,
        ..Limits::default()
    };
    let mut input = b"*1000\r\n".to_vec();
    input.extend_from_slice(&b"$1\r\nx\r\n".repeat(20));
    let answer = request(&input, 0, &limits, &mut Arguments::new());
    assert_eq!(answer, Err(ProtocolError::TooLong));
}

#[test]
fn answers_are_written_as_the_protocol_says() {
    let mut out = Vec::new();
    integer(&mut out, i64::MIN);
    integer(&mut out, 0);
    bulk(&mut out, b"a\r\nb");
    array_of(&mut out, 2);
    error(&mut out, "ERR two\nlines");
    let expected: &[u8] =
        b":-9223372036854775808\r\n:0\r\n$4\r\na\r\nb\r\n*2\r\n-ERR two lines\r\n";
    assert_eq!(out, expected);
    assert_eq!(as_integer(b":-12\r\n"), Some(-12));
    assert_eq!(as_integer(b"-ERR\r\n"), None);
}
