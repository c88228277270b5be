//! In: the `redis-server` that the rows with Redis have. Out: one for a single test, which may be killed, frozen, filled and made
//! read-only without harm to the tests beside it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use redis::{Connection, FromRedisValue};
use tempfile::TempDir;

use super::{poll, redis_keys};

pub struct RedisServer {
    pub url: String,
    port: u16,
    child: Option<Child>,
    folder: TempDir,
}

impl RedisServer {
    /// `None` where the tests run on the embedded queue.
    pub fn start() -> Option<Self> {
        if !redis_keys::wanted() {
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let mut server = Self {
            url: format!("redis://127.0.0.1:{port}/"),
            port,
            child: None,
            folder: TempDir::new().expect("a temporary folder"),
        };
        server.boot();
        Some(server)
    }

    /// Starts it, with what its append-only file has.
    pub fn boot(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--appendonly", "yes", "--appendfsync", "everysec"])
            .args(["--save", "", "--dir"])
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start redis-server");
        self.child = Some(child);
        poll::until("Redis answers", || {
            self.try_connection()
                .and_then(|mut redis| redis::cmd("PING").query::<String>(&mut redis))
                .is_ok()
        });
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kill redis-server");
            child.wait().expect("wait for redis-server");
        }
    }

    /// The next start finds nothing.
    pub fn forget(&self) {
        assert!(self.child.is_none(), "it has to be killed before");
        for entry in std::fs::read_dir(self.folder.path()).expect("Redis' folder") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                std::fs::remove_dir_all(path).expect("remove a folder");
            } else {
                std::fs::remove_file(path).expect("remove a file");
            }
        }
    }

    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let child = self.child.as_ref().expect("Redis runs");
        let status = Command::new("kill")
            .args([format!("-{name}"), child.id().to_string()])
            .status();
        assert!(status.expect("run kill").success());
    }

    fn try_connection(&self) -> redis::RedisResult<Connection> {
        redis::Client::open(self.url.as_str())?.get_connection()
    }

    /// What a command answers.
    pub fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut connection = self.try_connection().expect("connect to Redis");
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command
            .query(&mut connection)
            .unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Entries in all streams.
    pub fn entries(&self) -> u64 {
        let mut entries = 0;
        for lane in ["events", "quiet"] {
            for key in self.ask::<Vec<String>>(&["KEYS", &format!("*:{lane}")]) {
                entries += self.ask::<u64>(&["XLEN", &key]);
            }
        }
        entries
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have gone by itself; then the test has failed already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
