//! Task groups.

use super::{Say, ms, scripts};
use polyloop::{TaskGroup, sleep};

scripts! {
    group_waits_for_its_children group_cancels_the_siblings_of_a_failure
    group_children_add_children
}

async fn group_waits_for_its_children(say: Say) {
    let ended = TaskGroup::scope(async |group| {
        for n in [3, 1, 2] {
            let say = say.clone();
            drop(group.create_task(async move {
                sleep(ms(n * 10)).await;
                say.line(format!("child {n} at {}", say.ms()));
            }));
        }
        say.line("body ends");
    });
    ended.await.unwrap();
    say.line(format!("group ends at {}", say.ms()));
}

async fn group_cancels_the_siblings_of_a_failure(say: Say) {
    struct Gone(Say);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.line(format!("sibling gone at {}", self.0.ms()));
        }
    }
    let ended = TaskGroup::scope(async |group| {
        let gone = Gone(say.clone());
        drop(group.create_task(async move {
            let _gone = gone;
            sleep(ms(10_000)).await;
        }));
        drop(group.create_task(async {
            sleep(ms(10)).await;
            Err::<(), _>("broken")
        }));
    });
    if let Err(error) = ended.await {
        say.line(format!(
            "failures: {} at {}",
            error.errors().len(),
            say.ms()
        ));
    }
}

async fn group_children_add_children(say: Say) {
    let ended = TaskGroup::scope(async |group| {
        let (say, inside) = (say.clone(), group.clone());
        drop(group.create_task(async move {
            say.line("parent");
            drop(inside.create_task(async move {
                sleep(ms(10)).await;
                say.line(format!("child at {}", say.ms()));
            }));
        }));
    });
    ended.await.unwrap();
    say.line(format!("group ends at {}", say.ms()));
}
