//! In: ids of due tasks, Redis, and two nodes. Out: each id reaches one of them; without Redis the sender hears of it.

use std::collections::BTreeSet;
use std::env;
use std::process;
use std::time::Duration;

use bugle::queue::tasks_redis::TaskExchange;
use tokio::time::timeout;

async fn received(exchange: &mut TaskExchange, most: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    while ids.len() < most {
        if timeout(Duration::from_secs(3), exchange.offered())
            .await
            .is_err()
        {
            break;
        }
        ids.extend(exchange.take(1));
    }
    ids
}

#[tokio::test]
async fn every_id_reaches_one_of_the_nodes() {
    let Ok(url) = env::var("TEST_REDIS_URL") else {
        return;
    };
    let prefix = format!("bugle-test-exchange-{}", process::id());
    let mut first = TaskExchange::start(&url, &prefix);
    let mut second = TaskExchange::start(&url, &prefix);
    let due: Vec<(i64, i64)> = (1..=20).map(|id| (id, 1_000 - id)).collect();
    assert!(first.offer(due).await);
    let (one, other) = tokio::join!(received(&mut first, 20), received(&mut second, 20));
    // How they share is up to Redis; that nobody gets what another has is not.
    let all: BTreeSet<i64> = one.iter().chain(&other).copied().collect();
    assert_eq!(all, (1..=20).collect());
    assert_eq!(one.len() + other.len(), 20);

    // What was popped and not claimed is offered again by the next sweep.
    assert!(second.offer(vec![(7, 0)]).await);
    let (one, other) = tokio::join!(received(&mut first, 1), received(&mut second, 1));
    assert_eq!([one, other].concat(), [7]);
}

#[tokio::test]
async fn without_redis_the_offer_fails_at_once() {
    let exchange = TaskExchange::start("redis://127.0.0.1:1/", "bugle-test");
    assert!(
        exchange.offer(Vec::new()).await,
        "nothing to offer needs no Redis"
    );
    let offer = timeout(Duration::from_secs(2), exchange.offer(vec![(1, 0)]));
    assert_eq!(offer.await, Ok(false));
}
