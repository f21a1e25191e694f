use super::*;

fn key(bytes: &[u8]) -> Key<'_> {
    Key { hash: 1, bytes }
}

fn run(store: &mut Store, op: Op, value: &[u8], now: Millis) -> String {
    let mut out = Vec::new();
    execute(store, op, key(b"k"), value, now, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn counting_begins_at_nothing_and_ends_before_it_overflows() {
    let mut store = Store::new(1 << 20);
    assert_eq!(run(&mut store, Op::Add(1), b"", 0), ":1\r\n");
    assert_eq!(run(&mut store, Op::Add(-3), b"", 0), ":-2\r\n");
    assert_eq!(run(&mut store, Op::Get, b"", 0), "$2\r\n-2\r\n");
    assert!(run(&mut store, Op::Add(i64::MIN), b"", 0).contains("overflow"));
    run(&mut store, Op::Set(Set::PLAIN), b"007", 0);
    assert!(run(&mut store, Op::Add(1), b"", 0).contains("not an integer"));
}

#[test]
fn set_keeps_to_its_conditions() {
    let mut store = Store::new(1 << 20);
    let only = |only, answer| {
        Op::Set(Set {
            only: Some(only),
            answer,
            ..Set::PLAIN
        })
    };
    let present = only(Only::Present, SetAnswer::Ok);
    assert_eq!(run(&mut store, present, b"1", 0), "$-1\r\n");
    let absent = only(Only::Absent, SetAnswer::Number);
    assert_eq!(run(&mut store, absent, b"1", 0), ":1\r\n");
    assert_eq!(run(&mut store, absent, b"2", 0), ":0\r\n");
    assert_eq!(run(&mut store, present, b"3", 0), "+OK\r\n");
    let old = Op::Set(Set {
        answer: SetAnswer::Old,
        ..Set::PLAIN
    });
    assert_eq!(run(&mut store, old, b"4", 0), "$1\r\n3\r\n");
    assert_eq!(run(&mut store, Op::Get, b"", 0), "$1\r\n4\r\n");
}

#[test]
fn time_left_is_told_in_both_units() {
    let mut store = Store::new(1 << 20);
    assert_eq!(run(&mut store, Op::TimeLeft(1_000), b"", 0), ":-2\r\n");
    run(&mut store, Op::Set(Set::PLAIN), b"1", 0);
    assert_eq!(run(&mut store, Op::TimeLeft(1_000), b"", 0), ":-1\r\n");
    assert_eq!(run(&mut store, Op::Expire(10_000), b"", 0), ":1\r\n");
    assert_eq!(run(&mut store, Op::TimeLeft(1_000), b"", 1), ":10\r\n");
    assert_eq!(run(&mut store, Op::TimeLeft(1), b"", 1), ":9999\r\n");
    assert_eq!(run(&mut store, Op::Add(1), b"", 1), ":2\r\n");
    assert_eq!(run(&mut store, Op::TimeLeft(1), b"", 1), ":9999\r\n");
    assert_eq!(run(&mut store, Op::Persist, b"", 1), ":1\r\n");
    assert_eq!(run(&mut store, Op::Persist, b"", 1), ":0\r\n");
    assert_eq!(run(&mut store, Op::Expire(-1), b"", 1), ":1\r\n");
    assert_eq!(run(&mut store, Op::Exists, b"", 1), ":0\r\n");
}

#[test]
fn a_full_shard_says_so_and_keeps_what_it_has() {
    let mut store = Store::new(120);
    assert_eq!(run(&mut store, Op::Set(Set::PLAIN), b"1", 0), "+OK\r\n");
    let old = Op::Set(Set {
        answer: SetAnswer::Old,
        ..Set::PLAIN
    });
    assert!(run(&mut store, old, &[b'x'; 100], 0).starts_with("-OOM"));
    assert!(run(&mut store, Op::Append, &[b'x'; 100], 0).starts_with("-OOM"));
    assert_eq!(run(&mut store, Op::Get, b"", 0), "$1\r\n1\r\n");
}

#[test]
fn only_numbers_as_redis_writes_them_are_numbers() {
    assert_eq!(as_number(b"-12"), Some(-12));
    assert_eq!(as_number(b"9223372036854775807"), Some(i64::MAX));
    for no in [
        &b""[..],
        b"-",
        b"+1",
        b"01",
        b"-0",
        b" 1",
        b"1.0",
        b"9223372036854775808",
    ] {
        assert_eq!(as_number(no), None);
    }
}
