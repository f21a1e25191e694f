use super::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Wake;

/// A waker that tells which timer it belongs to.
struct Tag {
    number: u64,
    fired: AtomicU64,
}

impl Wake for Tag {
    fn wake(self: Arc<Self>) {
        self.fired.fetch_add(1, Relaxed);
    }
}

fn tag(number: u64) -> (Arc<Tag>, Waker) {
    let tag = Arc::new(Tag {
        number,
        fired: AtomicU64::new(0),
    });
    (tag.clone(), tag.into())
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Fires what is due and answers the tags in order.
fn fire(store: &mut TimerStore, now: u64, tags: &[(Arc<Tag>, u64)]) -> Vec<u64> {
    let mut due = Vec::new();
    store.advance(now, &mut due);
    due.into_iter()
        .map(|due| {
            let before: Vec<u64> = tags
                .iter()
                .map(|(tag, _)| tag.fired.load(Relaxed))
                .collect();
            due.waker.wake();
            let fired = tags
                .iter()
                .zip(before)
                .find(|((tag, _), before)| tag.fired.load(Relaxed) != *before);
            fired.expect("a known waker").0.0.number
        })
        .collect()
}

#[test]
fn equal_deadlines_fire_in_the_order_they_were_set() {
    let mut store = TimerStore::new();
    let mut tags = Vec::new();
    let deadline = 5_000_000_000;
    for number in 0..50 {
        let (tag, waker) = tag(number);
        store.insert(deadline, waker);
        tags.push((tag, deadline));
        // Time passes between the insertions, over several levels.
        assert!(fire(&mut store, number * 99_999_999, &tags).is_empty());
    }
    assert_eq!(
        fire(&mut store, deadline, &tags),
        (0..50).collect::<Vec<_>>()
    );
}

#[test]
fn the_ends_of_the_range_have_a_place() {
    let mut store = TimerStore::new();
    let mut tags = Vec::new();
    for (number, deadline) in [(0, u64::MAX), (1, 0), (2, 1 << 63), (3, u64::MAX - 1)] {
        let (tag, waker) = tag(number);
        store.insert(deadline, waker);
        tags.push((tag, deadline));
    }
    assert_eq!(fire(&mut store, 0, &tags), [1]);
    assert_eq!(store.next_deadline(), Some(1 << 63));
    assert_eq!(fire(&mut store, u64::MAX - 2, &tags), [2]);
    assert_eq!(fire(&mut store, u64::MAX, &tags), [3, 0]);
    assert!(store.is_empty());
}

#[test]
fn a_key_kept_too_long_finds_nothing() {
    let mut store = TimerStore::new();
    let (_tag, waker) = tag(0);
    let old = store.insert(10, waker.clone());
    assert!(store.remove(old).is_some());
    let new = store.insert(20, waker.clone());
    assert!(store.remove(old).is_none());
    assert_eq!(store.wakes(old, &waker), None);
    assert_eq!(store.wakes(new, &waker), Some(true));
}

/// trap_089: insertions, removals and steps of time in random order, against
/// an ordered map.
#[test]
fn trap_089_agrees_with_an_ordered_map() {
    for seed in 1..=20u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut store = TimerStore::new();
        let mut model: BTreeMap<(u64, u64), TimerKey> = BTreeMap::new();
        let mut tags: Vec<(Arc<Tag>, u64)> = Vec::new();
        let mut now = 0u64;
        for number in 0..400u64 {
            match random.next() % 4 {
                0 | 1 => {
                    let spread = 1u64 << (random.next() % 40);
                    let deadline = now + random.next() % spread;
                    let (tag, waker) = tag(number);
                    tags.push((tag, deadline));
                    model.insert((deadline, number), store.insert(deadline, waker));
                }
                2 => {
                    let pick = random.next() as usize % model.len().max(1);
                    if let Some((&id, &key)) = model.iter().nth(pick) {
                        assert!(store.remove(key).is_some());
                        model.remove(&id);
                    }
                }
                _ => {
                    now += random.next() % (1 << (random.next() % 38));
                    let later = model.split_off(&(now + 1, 0));
                    let expected: Vec<u64> = model.keys().map(|id| id.1).collect();
                    assert_eq!(fire(&mut store, now, &tags), expected, "seed {seed}");
                    model = later;
                }
            }
            if let (Some(next), Some(((first, _), _))) =
                (store.next_deadline(), model.first_key_value())
            {
                assert!(next <= *first && (next >= now), "seed {seed}");
            }
            assert_eq!(store.is_empty(), model.is_empty());
            let by = now + random.next() % (1 << (random.next() % 38));
            let many = 1 + random.next() as usize % 6;
            let truly = model.range(..=(by, u64::MAX)).count() >= many;
            let said = store.fall_due(by, many);
            // Of many it may see too little, and then says no.
            assert!(said == truly || truly && model.len() > SCAN, "seed {seed}");
        }
    }
}
