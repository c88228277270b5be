//! In: an address that is known before a server is started. Out: connections to it end at the server, once there is one:
//! so a server can be told its own address.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub struct Relay {
    pub address: SocketAddr,
    target: Arc<Mutex<Option<String>>>,
}

impl Relay {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let target = Arc::new(Mutex::new(None::<String>));
        let shared = Arc::clone(&target);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let target = shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                if let Some(target) = target {
                    // A server that is gone looks like a line that is cut.
                    let _ = join(&client, &target);
                }
            }
        });
        Self { address, target }
    }

    /// The DSN with this address in it.
    pub fn dsn(&self, dsn: &str) -> String {
        let (scheme, rest) = dsn.split_once("://").expect("a DSN is a URL");
        let (key, place) = rest.split_once('@').expect("a DSN has a key");
        let project = place.rsplit('/').next().expect("a DSN has a project");
        format!("{scheme}://{key}@{}/{project}", self.address)
    }

    pub fn lead_to(&self, base: &str) {
        let address = base.trim_start_matches("http://").to_owned();
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }
}

fn join(client: &TcpStream, target: &str) -> io::Result<()> {
    let server = TcpStream::connect(target)?;
    let pairs = [
        (client.try_clone()?, server.try_clone()?),
        (server, client.try_clone()?),
    ];
    for (mut from, mut to) in pairs {
        thread::spawn(move || {
            // Either side may go at any time; the other one then has to go as well.
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    Ok(())
}
