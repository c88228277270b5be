//! `bugle healthcheck`. In: the listen address. Out: exit code 0 if the node there is ready.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use super::CommandError;

/// Exit with 0 if the server on this machine is ready; for containers.
#[derive(Debug, Args)]
pub struct HealthcheckArgs {
    /// Address that `bugle serve` listens on.
    #[arg(
        long,
        env = "BUGLE_LISTEN",
        default_value = "127.0.0.1:8000",
        value_name = "ADDR"
    )]
    listen: SocketAddr,
}

const PATIENCE: Duration = Duration::from_secs(4);

pub(super) fn run(args: &HealthcheckArgs) -> Result<(), CommandError> {
    let mut address = args.listen;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let status = ask(address).map_err(|error| format!("{address} does not answer: {error}"))?;
    println!("{status}");
    if status.split(' ').nth(1) == Some("200") {
        Ok(())
    } else {
        Err("not ready".into())
    }
}

/// The status line of `GET /health/ready`.
fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
