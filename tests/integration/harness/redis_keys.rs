//! In: `TEST_REDIS_URL`. Out: a key prefix of its own for each test, whose keys can be listed and removed.

use std::env;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use redis::Commands;

pub struct RedisKeys {
    pub url: String,
    pub prefix: String,
}

/// Whether this run is one with Redis.
pub fn wanted() -> bool {
    env::var("TEST_REDIS_URL").is_ok_and(|url| !url.is_empty())
}

impl RedisKeys {
    /// `None` where the tests run on the embedded queue.
    pub fn fresh() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let url = env::var("TEST_REDIS_URL")
            .ok()
            .filter(|url| !url.is_empty())?;
        let prefix = format!(
            "bugle-test-{}-{}",
            process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        Some(Self { url, prefix })
    }

    pub fn connection(&self) -> redis::Connection {
        let client = redis::Client::open(self.url.as_str()).expect("TEST_REDIS_URL is an address");
        client.get_connection().expect("connect to TEST_REDIS_URL")
    }

    pub fn all(&self) -> Vec<String> {
        let mut connection = self.connection();
        let keys = connection
            .scan_match::<_, String>(format!("*{}*", self.prefix))
            .expect("scan the keys");
        keys.map(|key| key.expect("keys are text")).collect()
    }

    /// What FLUSHALL would do to this test, without harm to the tests beside it.
    pub fn flush(&self) -> usize {
        let keys = self.all();
        if !keys.is_empty() {
            let removed: usize = self.connection().del(&keys).expect("remove the keys");
            return removed;
        }
        0
    }
}

impl Drop for RedisKeys {
    fn drop(&mut self) {
        // A test that failed because Redis is gone must be able to say so.
        if !std::thread::panicking() {
            self.flush();
        }
    }
}
