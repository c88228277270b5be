//! In: two nodes that receive, with one Redis. Out: a limit that holds for both together. Without `TEST_REDIS_URL` there is
//! nothing to test here.

use crate::harness::database::{Backend, backend};
use crate::harness::server::Server;
use crate::harness::{App, Sdk, poll, redis_keys};
use crate::limits::{attempt, limit_key};

const KEY: &str = "a secret that both of the nodes know";
const LIMIT: usize = 300;

#[test]
fn two_nodes_hold_one_limit() {
    if !redis_keys::wanted() || backend() == Backend::Sqlite {
        return;
    }
    let app = App::with().env("BUGLE_SECRET_KEY", KEY).start();
    let mut environment = app.environment.clone();
    let data = app.data().join("second");
    environment.insert("BUGLE_DATA_DIR".to_owned(), data.display().to_string());
    let mut second = Server::start(&[], &environment);
    limit_key(&app, &["--per-month", &LIMIT.to_string()]);
    let (here, there) = (app.sdk(), Sdk::new(&second.base, &app.world().dsn));
    for _ in 0..LIMIT {
        attempt(&here).expect(200);
    }
    attempt(&here).expect(429);
    // Alone, the other node would take as many again.
    let mut taken = 0;
    poll::until("the other node refuses too", || {
        let answer = attempt(&there);
        taken += usize::from(answer.status == 200);
        answer.status == 429
    });
    assert!(taken < LIMIT, "{taken} more were taken");
    let status = second.terminate();
    assert_eq!(status.code(), Some(0), "{}", second.log.text());
    assert!(second.log.complaints().is_empty(), "{}", second.log.text());
}
