//! In: the address of a database server. Out: an address of our own that leads there, and can be cut and mended, so that a
//! test can take the database away without harm to the tests beside it.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use url::Url;

pub struct Proxy {
    /// The database URL with this proxy's address in it.
    pub url: String,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    cut: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    pub fn to(database_url: &str) -> Self {
        let mut url = Url::parse(database_url).expect("a database URL");
        let port = url
            .port()
            .unwrap_or(if url.scheme() == "mysql" { 3306 } else { 5432 });
        let target = format!("{}:{port}", url.host_str().unwrap_or("127.0.0.1"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own: SocketAddr = listener
            .local_addr()
            .expect("a bound socket has an address");
        url.set_host(Some("127.0.0.1"))
            .expect("a database URL has a host");
        url.set_port(Some(own.port()))
            .expect("a database URL has a port");
        let line = Arc::new(Line::default());
        let shared = Arc::clone(&line);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if !shared.cut.load(Ordering::SeqCst) {
                    // A server that cannot be reached looks to the client like a cut line.
                    let _ = shared.connect(&client, &target);
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
        self.line.cut.store(true, Ordering::SeqCst);
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

    pub fn mend(&self) {
        self.line.cut.store(false, Ordering::SeqCst);
    }
}

impl Line {
    fn connect(&self, client: &TcpStream, target: &str) -> io::Result<()> {
        let server = TcpStream::connect(target)?;
        let pairs = [
            (client.try_clone()?, server.try_clone()?),
            (server.try_clone()?, client.try_clone()?),
        ];
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.extend([client.try_clone()?, server]);
        for (mut from, mut to) in pairs {
            thread::spawn(move || {
                // Either side may go at any time; the other one then has to go as well.
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Ok(())
    }
}
