//! Pushes the metrics to a `StatsD` server. In: the metrics, every ten seconds. Out: packets that nobody confirms: a
//! server that is away costs nothing and is tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::watch;

use super::readings::Readings;
use crate::telemetry::statsd::{Push, Style};

const EVERY: Duration = Duration::from_secs(10);

/// Pushes until `stopped`, then once more.
pub async fn run(
    readings: Arc<Readings>,
    server: String,
    style: Style,
    mut stopped: watch::Receiver<bool>,
) {
    let mut push = Push::new(style);
    let mut complained = false;
    loop {
        let stop = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => true,
            () = tokio::time::sleep(EVERY) => false,
        };
        let packets = push.packets(&readings.families().await);
        match send(&server, &packets).await {
            Ok(()) => complained = false,
            Err(error) if !complained => {
                tracing::warn!(%error, server, "metrics cannot be sent to StatsD");
                complained = true;
            }
            Err(_) => {}
        }
        if stop {
            return;
        }
    }
}

/// The name is resolved each time: the server may move.
async fn send(server: &str, packets: &[String]) -> std::io::Result<()> {
    let address = tokio::net::lookup_host(server)
        .await?
        .next()
        .ok_or_else(|| std::io::Error::other("the name has no address"))?;
    let own: std::net::SocketAddr = if address.is_ipv4() {
        (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(own).await?;
    for packet in packets {
        socket.send_to(packet.as_bytes(), address).await?;
    }
    Ok(())
}
