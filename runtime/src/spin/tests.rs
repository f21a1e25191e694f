//! Budgets of spinning.

use super::cores::cores;
use super::*;

#[test]
fn a_fixed_budget_does_not_adapt() {
    let mut budget = SpinBudget::fixed(Duration::from_micros(7));
    budget.wait_ended(Duration::from_secs(1));
    budget.wait_ended(Duration::from_nanos(1));
    assert_eq!(budget.wait_begins(), Duration::from_micros(7));
}

#[test]
fn an_interrupted_round_ends_the_spinning_for_a_while() {
    let mut budget = SpinBudget::new();
    budget.wait_ended(Duration::ZERO);
    interrupted(&mut budget);
    assert_eq!(rest(&mut budget), FIRST_REST);
    assert_eq!(budget.get(), MAX_SPIN, "it has learned meanwhile");
}

#[test]
fn rests_grow_where_every_spin_is_interrupted_and_shrink_when_spins_find() {
    let mut budget = SpinBudget::new();
    budget.wait_ended(Duration::ZERO);
    let mut rests = Vec::new();
    for _ in 0..6 {
        interrupted(&mut budget);
        rests.push(rest(&mut budget));
    }
    assert_eq!(rests, [8, 32, 128, 512, 2048, LAST_REST]);
    while budget.rest > FIRST_REST {
        assert_eq!(budget.spin(None, |_| Some(())), Some(()));
    }
    interrupted(&mut budget);
    assert_eq!(rest(&mut budget), FIRST_REST);
}

/// Spins, and is interrupted.
fn interrupted(budget: &mut SpinBudget) {
    let found: Option<()> = budget.spin(None, |_| {
        std::thread::sleep(CROWDED);
        None
    });
    assert!(found.is_none());
    assert_eq!(budget.get(), Duration::ZERO, "resting");
}

/// Waits until it spins again: how many waits that took.
fn rest(budget: &mut SpinBudget) -> u16 {
    let mut waits = 0;
    while budget.get().is_zero() {
        budget.wait_ended(Duration::ZERO);
        waits += 1;
    }
    waits
}

#[test]
fn nothing_is_spun_while_busy_threads_outnumber_cores() {
    let mut budget = SpinBudget::new();
    budget.wait_ended(Duration::ZERO);
    let _crowd: Vec<_> = (0..=cores()).map(|_| BusyThread::enter()).collect();
    assert_eq!(budget.wait_begins(), Duration::ZERO);
}

#[test]
fn a_waiter_offers_its_core_while_the_cores_are_crowded() {
    let _crowd: Vec<_> = (0..=cores()).map(|_| BusyThread::enter()).collect();
    let offered = |deadline, answer_at| {
        let mut looks = 0;
        let found = SpinBudget::new().offer(deadline, || {
            looks += 1;
            (looks == answer_at).then_some(())
        });
        (found, looks)
    };
    assert_eq!(offered(None, 1), (Some(()), 1), "what is there is found");
    // Whether there is a second offer is up to those who had the first.
    let (found, looks) = offered(None, 2);
    assert!(found.is_some() == (looks == 2));
    let (found, looks) = offered(None, u32::MAX);
    assert!(found.is_none() && (1..=OFFERS).contains(&looks));
    assert_eq!(offered(Some(Instant::now()), u32::MAX), (None, 1));
    let nobody = SpinBudget::fixed(Duration::ZERO).offer(None, || Some(()));
    assert_eq!(nobody, None, "it is turned off");
}

#[test]
fn an_offer_that_was_taken_for_long_is_not_made_again_soon() {
    let mut budget = SpinBudget::new();
    let _crowd: Vec<_> = (0..=cores()).map(|_| BusyThread::enter()).collect();
    let long = budget.offer(None, || {
        std::thread::sleep(TAKEN);
        Some(())
    });
    assert!(long.is_some(), "what came meanwhile is not lost");
    for _ in 0..WARY {
        assert_eq!(budget.offer(None, || Some(())), None);
    }
    assert!(budget.offer(None, || Some(())).is_some());
}
