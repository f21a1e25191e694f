//! One question to several slow sources at once.
//!
//! `gather` runs its futures together and gives their results in the order in which
//! they were written, not in the one in which they came. The slow source decides
//! how long it takes; a source that fails is one result among the others.
//!
//! ```sh
//! cargo run --bin fan_out
//! ```
#![forbid(unsafe_code)]

use std::time::Duration;

use polyloop::time::{VirtualClock, now};
use polyloop::{EventLoop, gather, sleep};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A virtual clock, so that the example is exact and ends at once.
    let mut looped = EventLoop::builder().clock(VirtualClock::new()).build()?;
    looped.run_until_complete(async {
        let begin = now();
        // Two different futures: the macro takes each as it is.
        let (price, stock) = gather!(price("tea"), stock("tea")).await;
        println!(
            "tea: {price} a box, {stock} boxes, after {:?}",
            now() - begin
        );
        assert_eq!(
            (price, stock, now() - begin),
            (3, 40, Duration::from_millis(300))
        );

        let begin = now();
        // Any number of the same kind: the function takes an iterator.
        let goods = ["tea", "coffee", "sand"];
        let found = gather(goods.map(find)).await;
        for (name, place) in goods.iter().zip(&found) {
            match place {
                Ok(place) => println!("{name}: {place}"),
                Err(reason) => println!("{name}: not found, {reason}"),
            }
        }
        assert_eq!(now() - begin, Duration::from_millis(600));
        assert_eq!(found.iter().filter(|place| place.is_ok()).count(), 2);
    })?;
    Ok(())
}

async fn price(_good: &str) -> u32 {
    sleep(Duration::from_millis(300)).await;
    3
}

async fn stock(_good: &str) -> u32 {
    sleep(Duration::from_millis(200)).await;
    40
}

async fn find(good: &str) -> Result<String, &'static str> {
    // The longer the name, the longer the search.
    sleep(Duration::from_millis(100 * good.len() as u64)).await;
    match good {
        "sand" => Err("nobody sells it"),
        _ => Ok(format!("shelf {}", good.len())),
    }
}
