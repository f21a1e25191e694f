use super::tests::{GRACE, group};
use super::*;
use std::collections::HashSet;

const KEYS: u64 = 10_000;

fn owners(group: &LoopGroup) -> Vec<usize> {
    (0..KEYS).map(|key| group.number_by_key(&key)).collect()
}

#[test]
fn a_loop_that_comes_or_goes_moves_its_share_of_the_keys_only() {
    let group = group(4);
    let four = owners(&group);
    for number in 0..4 {
        let share = four.iter().filter(|owner| **owner == number).count();
        assert!((2_000..3_000).contains(&share), "{share} of {KEYS}");
    }
    assert_eq!(group.add_loop().expect("a thread"), 4);
    let five = owners(&group);
    let moved = four.iter().zip(&five).filter(|(old, new)| old != new);
    let moved: Vec<_> = moved.map(|(_, new)| *new).collect();
    assert!((1_500..2_500).contains(&moved.len()), "{}", moved.len());
    assert!(moved.iter().all(|new| *new == 4), "only to the new loop");

    assert!(group.retire(1, GRACE).expect("it is there").is_complete());
    for (before, after) in five.iter().zip(owners(&group)) {
        assert!(after != 1 && (*before == 1 || *before == after));
    }
    // One that comes back in its place gets its keys back.
    assert_eq!(group.add_loop().expect("a thread"), 1);
    assert_eq!(owners(&group), five);
}

#[test]
fn turns_are_even_although_there_are_gaps() {
    let group = group(4);
    group.retire(1, GRACE).expect("it is there");
    let turns: Vec<_> = (0..6).map(|_| group.next().id()).collect();
    assert_eq!(turns[..3], turns[3..]);
    assert_eq!(turns.iter().collect::<HashSet<_>>().len(), 3);
    for _ in 0..6 {
        assert!(!group.least_loaded().is_closed());
    }
}

#[test]
fn a_loop_that_has_ended_by_itself_is_not_chosen() {
    let group = group(3);
    group.handle(1).stop();
    while !group.handle(1).is_closed() {
        std::thread::yield_now();
    }
    for key in 0..100 {
        assert_ne!(group.next(), group.handle(1));
        assert_ne!(group.least_loaded(), group.handle(1));
        assert_ne!(group.by_key(&key), group.handle(1));
    }
}

#[test]
fn roles_choose_among_their_own() {
    let group = LoopGroup::builder()
        .loops(1)
        .role("front", 1)
        .role("store", 1)
        // Once more: they add up.
        .role("store", 2)
        .build()
        .expect("threads and loops");
    let names: Vec<_> = group.iter().map(LoopHandle::name).collect();
    assert_eq!(
        names,
        ["loop-0", "front-0", "store-0", "store-1", "store-2"]
    );
    assert!(group.role("none").is_none());
    let store = group.role("store").expect("it was asked for");
    assert_eq!((store.len(), store.name()), (3, "store"));
    let own: HashSet<_> = store.iter().map(LoopHandle::id).collect();
    let mut seen = HashSet::new();
    for key in 0..60 {
        for chosen in [store.next(), store.least_loaded(), store.by_key(&key)] {
            let chosen = chosen.expect("it has loops").id();
            assert!(own.contains(&chosen));
            seen.insert(chosen);
        }
    }
    assert_eq!(seen, own);
    // Numbers of a role go to that role.
    let front = group.role("front").expect("it was asked for");
    group.retire(1, GRACE).expect("it is there");
    assert!(front.is_empty() && front.next().is_none() && front.by_key(&1).is_none());
    assert_eq!(store.add_loop().expect("a thread"), 5);
    assert_eq!(group.handle(5).name(), "store-3");
    assert_eq!(front.add_loop().expect("a thread"), 1);
    assert_eq!(front.next().map(LoopHandle::name), Some("front-0"));
}
