//! In: addresses of pages and a session's cookie. Out: how long they took to come; all answers have to be 200.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::client::exchange;
use crate::report::Report;

pub struct Plan {
    /// `127.0.0.1:8000`
    pub host: String,
    pub cookie: String,
    pub paths: Vec<String>,
    pub connections: usize,
    pub seconds: Duration,
    pub requests: Option<u64>,
    pub rate: Option<f64>,
}

pub fn get(plan: Plan) -> Result<Report, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let (plan, turns, begin) = (Rc::new(plan), Rc::new(Cell::new(0)), Instant::now());
    let local = tokio::task::LocalSet::new();
    let report = local.block_on(&runtime, async {
        let tasks: Vec<_> = (0..plan.connections)
            .map(|_| {
                let (plan, turns) = (Rc::clone(&plan), Rc::clone(&turns));
                tokio::task::spawn_local(connection(plan, turns, begin))
            })
            .collect();
        let mut report = Report::default();
        for task in tasks {
            report.add(task.await.map_err(|error| error.to_string())?);
        }
        Ok::<_, String>(report)
    })?;
    match report.statuses.keys().find(|status| **status != 200) {
        Some(status) => Err(format!("a page answered {status}:\n{report}")),
        None => Ok(report),
    }
}

async fn connection(plan: Rc<Plan>, turns: Rc<Cell<u64>>, begin: Instant) -> Report {
    let mut report = Report::default();
    let mut stream: Option<TcpStream> = None;
    let mut answer = vec![0; 256 * 1024];
    loop {
        let turn = turns.replace(turns.get() + 1);
        if let Some(rate) = plan.rate {
            let due = begin + Duration::from_secs_f64(turn as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
        }
        let over = match plan.requests {
            Some(most) => turn >= most,
            None => begin.elapsed() >= plan.seconds,
        };
        if over {
            report.elapsed = begin.elapsed();
            return report;
        }
        let path = &plan.paths[(turn % plan.paths.len() as u64) as usize];
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nAccept: text/html\r\n\r\n",
            plan.host, plan.cookie
        );
        let sent = Instant::now();
        match exchange(&plan.host, &mut stream, request.as_bytes(), &mut answer).await {
            Ok(status) => {
                *report.statuses.entry(status).or_default() += 1;
                let micros = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
                report.latencies.push(micros);
            }
            Err(_) => {
                report.broken += 1;
                stream = None;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
