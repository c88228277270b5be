//! In: the address of a database or Redis server. Out: an address of our own that leads there, and can be cut, frozen, slowed
//! down and mended, so that a test can take the server away without harm to the tests beside it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use url::Url;

pub struct Proxy {
    /// The server's URL with this proxy's address in it.
    pub url: String,
    line: Arc<Line>,
}

/// What happens to bytes on their way.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Condition {
    #[default]
    Fine,
    /// Every piece is late by so much.
    Slow(Duration),
    /// Nothing passes; connections stay open and new ones are accepted, as with a server that hangs.
    Frozen,
    /// Connections end, and new ones as well.
    Cut,
}

#[derive(Default)]
struct Line {
    condition: Mutex<Condition>,
    changed: Condvar,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    pub fn to(server_url: &str) -> Self {
        let mut url = Url::parse(server_url).expect("a server's URL");
        let port = url.port().unwrap_or(match url.scheme() {
            "mysql" => 3306,
            "redis" => 6379,
            _ => 5432,
        });
        let target = format!("{}:{port}", url.host_str().unwrap_or("127.0.0.1"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own: SocketAddr = listener
            .local_addr()
            .expect("a bound socket has an address");
        url.set_host(Some("127.0.0.1"))
            .expect("a server's URL has a host");
        url.set_port(Some(own.port()))
            .expect("a server's URL has a port");
        let line = Arc::new(Line::default());
        let shared = Arc::clone(&line);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.now() != Condition::Cut {
                    // A server that cannot be reached looks to the client like a cut line.
                    let _ = Line::connect(&shared, &client, &target);
                }
            }
        });
        Self {
            url: url.into(),
            line,
        }
    }

    /// Ends all connections and takes no new ones.
    pub fn cut(&self) {
        self.line.set(Condition::Cut);
        for stream in self
            .line
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn freeze(&self) {
        self.line.set(Condition::Frozen);
    }

    pub fn slow_down(&self, delay: Duration) {
        self.line.set(Condition::Slow(delay));
    }

    pub fn mend(&self) {
        self.line.set(Condition::Fine);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Condition> {
        self.condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Condition {
        *self.lock()
    }

    fn set(&self, condition: Condition) {
        *self.lock() = condition;
        self.changed.notify_all();
    }

    fn connect(line: &Arc<Self>, client: &TcpStream, target: &str) -> io::Result<()> {
        let server = TcpStream::connect(target)?;
        for stream in [client, &server] {
            stream.set_nodelay(true)?;
        }
        let pairs = [
            (client.try_clone()?, server.try_clone()?),
            (server.try_clone()?, client.try_clone()?),
        ];
        line.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend([client.try_clone()?, server]);
        for (mut from, mut to) in pairs {
            let line = Arc::clone(line);
            thread::spawn(move || {
                // Either side may go at any time; the other one then has to go as well.
                let _ = line.carry(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Ok(())
    }

    fn carry(&self, from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let count = from.read(&mut bytes)?;
            if count == 0 {
                return Ok(());
            }
            self.pass();
            to.write_all(&bytes[..count])?;
        }
    }

    /// Waits until the line lets a piece through.
    fn pass(&self) {
        let mut condition = self.lock();
        while *condition == Condition::Frozen {
            condition = self
                .changed
                .wait(condition)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let Condition::Slow(delay) = *condition else {
            return;
        };
        drop(condition);
        thread::sleep(delay);
    }
}
