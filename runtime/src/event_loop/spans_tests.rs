use crate::{call_soon, create_task, yield_now};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Span, Subscriber};
use tracing_core::span::Current;

std::thread_local! {
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Knows which spans the thread is in, and their names.
#[derive(Default)]
struct Spans {
    next: AtomicU64,
    names: Mutex<Vec<&'static Metadata<'static>>>,
}

impl Subscriber for Spans {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.names.lock().unwrap().push(span.metadata());
        Id::from_u64(self.next.fetch_add(1, Relaxed) + 1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }
    fn exit(&self, _: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.pop());
    }
    fn current_span(&self) -> Current {
        match ENTERED.with_borrow(|entered| entered.last().copied()) {
            Some(id) => {
                let names = self.names.lock().unwrap();
                Current::new(Id::from_u64(id), names[id as usize - 1])
            }
            None => Current::none(),
        }
    }
}

fn here() -> Option<&'static str> {
    Span::current().metadata().map(Metadata::name)
}

#[test]
fn tasks_and_callbacks_run_in_the_span_of_their_creator() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let note = |what: &'static str| {
        let seen = seen.clone();
        move || seen.borrow_mut().push((what, here()))
    };
    tracing::subscriber::with_default(Spans::default(), || {
        let ran = crate::run(async {
            let task = tracing::info_span!("request").in_scope(|| {
                drop(call_soon(note("callback")));
                let (first, second) = (note("first poll"), note("second poll"));
                create_task(async move {
                    first();
                    yield_now().await;
                    second();
                })
            });
            let outside = create_task(async { here() });
            task.await.unwrap();
            assert_eq!(outside.await.unwrap(), None);
            assert_eq!(here(), None);
        });
        ran.unwrap();
    });
    let request = Some("request");
    let all = [
        ("callback", request),
        ("first poll", request),
        ("second poll", request),
    ];
    assert_eq!(*seen.borrow(), all);
}
