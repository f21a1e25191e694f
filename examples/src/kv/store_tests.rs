use super::*;
use std::hash::{BuildHasher, RandomState};

/// All keys of a test share a hash now and then: the worst case.
fn key(bytes: &[u8]) -> Key<'_> {
    Key {
        hash: u64::from(bytes.first().copied().unwrap_or(0) % 3),
        bytes,
    }
}

#[test]
fn a_value_is_there_until_it_is_removed() {
    let mut store = Store::new(1 << 20);
    store.set(key(b"a"), b"1", Keep::Forever, 0).unwrap();
    store.set(key(b"d"), b"2", Keep::Forever, 0).unwrap();
    assert_eq!(store.get(key(b"a"), 0), Some(&b"1"[..]));
    assert_eq!(store.get(key(b"d"), 0), Some(&b"2"[..]));
    assert!(store.remove(key(b"a"), 0));
    assert!(!store.remove(key(b"a"), 0));
    assert_eq!(store.get(key(b"a"), 0), None);
    assert_eq!(store.figures().keys, 1);
}

#[test]
fn a_key_expires_whether_it_is_asked_for_or_swept() {
    let mut store = Store::new(1 << 20);
    for name in [b"a", b"b", b"c", b"d"] {
        store.set(key(name), b"x", Keep::Until(100), 0).unwrap();
    }
    assert_eq!(store.get(key(b"a"), 99), Some(&b"x"[..]));
    assert_eq!(store.get(key(b"a"), 100), None);
    assert_eq!(store.expiry(key(b"b"), 50), Some(Some(100)));
    assert_eq!(store.next_expiry(), Some(100));
    assert_eq!(store.sweep(100, 2), 2);
    assert_eq!(store.sweep(100, 2), 1);
    assert_eq!(store.figures(), Figures::default());
}

#[test]
fn setting_again_forgets_the_expiry_unless_told_to_keep_it() {
    let mut store = Store::new(1 << 20);
    store.set(key(b"a"), b"1", Keep::Until(100), 0).unwrap();
    store.set(key(b"a"), b"2", Keep::AsItWas, 0).unwrap();
    assert_eq!(store.expiry(key(b"a"), 0), Some(Some(100)));
    store.set(key(b"a"), b"3", Keep::Forever, 0).unwrap();
    assert_eq!(store.expiry(key(b"a"), 0), Some(None));
    assert_eq!(store.sweep(1_000, 10), 0);
    assert!(store.expire(key(b"a"), Keep::Until(5), 6), "in the past");
    assert_eq!(store.get(key(b"a"), 6), None);
    assert_eq!(store.figures(), Figures::default());
}

#[test]
fn a_full_shard_refuses_what_would_make_it_grow_and_takes_the_rest() {
    let mut store = Store::new(2 * OVERHEAD + 20);
    store.set(key(b"a"), &[1; 8], Keep::Forever, 0).unwrap();
    store.set(key(b"b"), &[1; 8], Keep::Forever, 0).unwrap();
    assert_eq!(store.set(key(b"c"), b"", Keep::Forever, 0), Err(Full));
    assert_eq!(store.set(key(b"a"), &[2; 11], Keep::Forever, 0), Err(Full));
    assert_eq!(store.get(key(b"a"), 0), Some(&[1; 8][..]));
    store.set(key(b"a"), &[2; 2], Keep::Forever, 0).unwrap();
    assert!(store.remove(key(b"b"), 0));
    store.set(key(b"c"), &[3; 8], Keep::Forever, 0).unwrap();
}

#[test]
fn bytes_and_expiries_are_those_of_a_plain_model() {
    let hasher = RandomState::new();
    let mut store = Store::new(usize::MAX);
    let mut model = std::collections::HashMap::<Vec<u8>, (Vec<u8>, Option<u64>)>::new();
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for now in 0..20_000u64 {
        let name = next(50).to_string().into_bytes();
        let key = Key {
            hash: hasher.hash_one(&name[..]),
            bytes: &name,
        };
        model.retain(|_, (_, expiry)| expiry.is_none_or(|moment| moment > now));
        match next(5) {
            0 => assert_eq!(store.remove(key, now), model.remove(&name).is_some()),
            1 => {
                let until = now + next(200);
                let there = store.expire(key, Keep::Until(until), now);
                assert_eq!(there, model.contains_key(&name));
                if let Some((_, expiry)) = model.get_mut(&name) {
                    *expiry = Some(until);
                }
                model.retain(|_, (_, expiry)| expiry.is_none_or(|moment| moment > now));
            }
            2 => {
                store.sweep(now, 10);
            }
            3 => {
                let value = vec![7; next(60) as usize];
                store.set(key, &value, Keep::Forever, now).unwrap();
                model.insert(name, (value, None));
            }
            _ => assert_eq!(
                store.get(key, now),
                model.get(&name).map(|(value, _)| &value[..])
            ),
        }
        if now % 100 == 0 {
            store.sweep(now, usize::MAX);
            model.retain(|_, (_, expiry)| expiry.is_none_or(|moment| moment > now));
            let bytes = model
                .iter()
                .map(|(key, value)| key.len() + value.0.len() + OVERHEAD)
                .sum();
            let expiring = model.values().filter(|value| value.1.is_some()).count();
            let expected = Figures {
                keys: model.len(),
                expiring,
                bytes,
            };
            assert_eq!(store.figures(), expected);
        }
    }
}
