use super::*;

fn memory(start: NonNull<u8>, layout: Layout, foreign: bool) -> Memory {
    // SAFETY: the tests below allocate with this very layout and give it up.
    unsafe { Memory::new(start, layout, foreign) }
}

fn recycle(pool: &CellPool, returns: &Returns, memory: Memory) {
    // SAFETY: given up by the caller, who allocated it in the test.
    unsafe { pool.recycle(memory, returns) }
}

#[cfg(not(loom))]
#[test]
fn a_calm_pool_gives_back_what_it_did_not_use() {
    let (pool, returns) = (CellPool::default(), Returns::new());
    let layout = rounded(Layout::new::<[u8; 100]>(), false);
    assert_eq!(layout.size(), 104);
    let blocks: Vec<_> = (0..10).map(|_| pool.allocate(layout)).collect();
    for block in blocks {
        recycle(&pool, &returns, memory(block, layout, false));
    }
    assert_eq!(pool.bytes(), 1040);
    pool.trim(&returns); // learns that ten were there
    let used = pool.allocate(layout);
    recycle(&pool, &returns, memory(used, layout, false));
    pool.trim(&returns);
    assert_eq!(pool.bytes(), 104, "one was used, nine were not");
}

#[cfg(not(loom))]
#[test]
fn large_and_overaligned_cells_are_not_pooled() {
    #[repr(align(64))]
    struct Wide(#[allow(dead_code)] u8);
    let (pool, returns) = (CellPool::default(), Returns::new());
    for layout in [
        Layout::new::<[u8; 5000]>(),
        Layout::new::<[u128; 65]>(),
        Layout::new::<Wide>(),
    ] {
        let layout = rounded(layout, false);
        let block = pool.allocate(layout);
        recycle(&pool, &returns, memory(block, layout, false));
    }
    assert_eq!(pool.bytes(), 0);
}

#[cfg(not(loom))]
#[test]
fn a_submission_s_memory_goes_back_to_those_who_send() {
    let (pool, returns) = (CellPool::default(), Returns::new());
    let layout = rounded(Layout::new::<[u8; 900]>(), true);
    let sent: Vec<_> = (0..CHAIN_LEAST)
        .map(|_| allocate_elsewhere(layout, &returns))
        .collect();
    for &block in &sent {
        recycle(&pool, &returns, memory(block, layout, true));
    }
    assert_eq!(pool.bytes(), 0, "not the loop's");
    assert!(sent.iter().all(|block| block.addr().get() % LINE == 0));
    let again: Vec<_> = (0..CHAIN_LEAST)
        .map(|_| allocate_elsewhere(layout, &returns))
        .collect();
    assert!(again.iter().all(|block| sent.contains(block)));
    for block in again {
        // SAFETY: allocated above and given up.
        unsafe { free_elsewhere(memory(block, layout, true)) };
    }
}

/// A chain that is offered is taken by one of those who ask, whole.
#[cfg(loom)]
#[test]
fn loom_returned_memory_has_one_taker() {
    loom::model(|| {
        let returns = loom::sync::Arc::new(Returns::new());
        let takers: Vec<_> = (0..2)
            .map(|_| {
                let returns = returns.clone();
                loom::thread::spawn(move || {
                    let taken = Chain::default();
                    taken.first.set(returns.take(0));
                    let mut count = 0;
                    while let Some(block) = taken.pop() {
                        count += 1;
                        // SAFETY: a block of class 0, taken by this thread.
                        unsafe { free(block, class_layout(0, true)) };
                    }
                    count
                })
            })
            .collect();
        let chain = Chain::default();
        let mut offered = 0;
        for _ in 0..2 {
            chain.push(allocate(class_layout(0, true)));
            offered += 1;
            returns.offer(0, &chain);
        }
        let left = chain.length.get();
        chain.clear(0, true);
        let taken: usize = takers.into_iter().map(|taker| taker.join().unwrap()).sum();
        let rest = Chain::default();
        rest.first.set(returns.take(0));
        let mut resting = 0;
        while let Some(block) = rest.pop() {
            resting += 1;
            // SAFETY: a block of class 0 that nobody took.
            unsafe { free(block, class_layout(0, true)) };
        }
        assert_eq!(taken + left + resting, offered);
    });
}
