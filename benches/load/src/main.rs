//! In: a command line. Out: load on a Sentry-compatible server with a report of `name=value` lines, or the bare
//! actix-web handler that the load is compared with.

mod bare;
mod client;
mod events;
mod pages;
mod random;
mod report;

use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
bugle-load bare --listen ADDRESS
    serves a handler that reads the body and answers {\"id\":…}, on any path

bugle-load send --dsn DSN [--dsn DSN …] [--connections 32] [--seconds 10 | --requests N] [--rate PER_SECOND]
                [--issues 500 | --envelope FILE] [--unknown-keys] [--gzip] [--seed N]
    sends envelopes with error events of 5.5 KB over keep-alive connections, as fast as they are answered or at a rate;
    issues are dealt out to the DSNs; with --unknown-keys each request has a key that nobody knows; with
    --envelope that envelope is sent, with an event id of its own for EVENT-ID-EVENT-ID-EVENT-ID-EVENT

bugle-load pages --host HOST:PORT --cookie TEXT --path PATH [--path PATH …] [--connections 2] [--seconds 10 | --requests N]
                 [--rate PER_SECOND]
    gets the pages in turn

bugle-load sample [--seed N]
    prints one envelope";

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options(arguments.get(1..).unwrap_or_default());
    match arguments.first().map(String::as_str) {
        Some("bare") => bare::serve(options.required("--listen")?),
        Some("send") => {
            let plan = client::Plan {
                targets: options
                    .all("--dsn")?
                    .into_iter()
                    .map(str::parse)
                    .collect::<Result<_, _>>()?,
                connections: options.number("--connections")?.unwrap_or(32),
                seconds: Duration::from_secs(options.number("--seconds")?.unwrap_or(10)),
                requests: options.number("--requests")?,
                gzip: options.has("--gzip"),
                issues: options.number("--issues")?.unwrap_or(events::ISSUES),
                envelope: options
                    .value("--envelope")
                    .map(|path| std::fs::read(path).map_err(|error| format!("{path}: {error}")))
                    .transpose()?,
                rate: options.number("--rate")?,
                unknown_keys: options.has("--unknown-keys"),
                seed: options.number("--seed")?.unwrap_or_else(random::seed),
            };
            client::send(&plan).map(|report| print!("{report}"))
        }
        Some("pages") => {
            let plan = pages::Plan {
                host: options.required("--host")?.to_owned(),
                cookie: options.required("--cookie")?.to_owned(),
                paths: options
                    .all("--path")?
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
                connections: options.number("--connections")?.unwrap_or(2),
                seconds: Duration::from_secs(options.number("--seconds")?.unwrap_or(10)),
                requests: options.number("--requests")?,
                rate: options.number("--rate")?,
            };
            pages::get(plan).map(|report| print!("{report}"))
        }
        Some("sample") => {
            let seed = options.number("--seed")?.unwrap_or_else(random::seed);
            let mut random = random::Random::new(seed);
            let mut envelope = Vec::new();
            events::Catalogue::new(events::ISSUES).write(&mut random, 0, &mut envelope);
            print!("{}", String::from_utf8_lossy(&envelope));
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    }
}

struct Options<'a>(&'a [String]);

impl<'a> Options<'a> {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|argument| argument == name)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let position = self.0.iter().position(|argument| argument == name)?;
        self.0.get(position + 1).map(String::as_str)
    }

    /// Every value of an option that may be repeated.
    fn all(&self, name: &str) -> Result<Vec<&'a str>, String> {
        let values: Vec<&str> = self
            .0
            .windows(2)
            .filter(|pair| pair[0] == name)
            .map(|pair| pair[1].as_str())
            .collect();
        if values.is_empty() {
            return Err(format!("{name} is missing.\n\n{USAGE}"));
        }
        Ok(values)
    }

    fn required(&self, name: &str) -> Result<&'a str, String> {
        self.value(name)
            .ok_or_else(|| format!("{name} is missing.\n\n{USAGE}"))
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| format!("{name} wants a number, not {text:?}"))
        };
        self.value(name).map(parse).transpose()
    }
}
