use super::*;

fn shared(process: u32) -> Shared {
    let (pipe, _receiver) = pipe::new().expect("a pipe can be had");
    Shared {
        pipe,
        counts: [Signal::HANGUP, Signal::INTERRUPT]
            .map(|kind| (kind, AtomicUsize::new(0)))
            .into(),
        process,
    }
}

#[test]
fn signals_are_counted_one_by_one() {
    // The pipe has no reader, which the handler does not mind.
    let shared = shared(std::process::id());
    for index in [1, 0, 1, 2] {
        shared.arrived(index);
    }
    let taken: Vec<_> = std::iter::from_fn(|| shared.take()).collect();
    let expected = [Signal::HANGUP, Signal::INTERRUPT, Signal::INTERRUPT];
    assert_eq!(taken, expected);
}

#[test]
fn a_child_process_does_not_count() {
    let shared = shared(std::process::id() + 1);
    shared.arrived(0);
    assert_eq!(shared.take(), None);
}
