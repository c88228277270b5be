//! `bugle doctor`. In: the settings as `serve` would have them. Out: a line for each thing that has to work, and what
//! to do where one does not.

use clap::Args;

use super::{CommandError, storage_report};
use crate::config::{
    MailArgs, RetentionArgs, RetentionLimits, StorageArgs, create_data_dir, secret,
};
use crate::journal::disk_used;
use crate::notify::{MailConfig, email};
use crate::store::{Store, accounts, dead_records, migrate, nodes, tasks};

/// Check settings, database, journal and mail, show what storage is used for, and say what to do.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    storage: StorageArgs,

    #[command(flatten)]
    mail: MailArgs,

    #[command(flatten)]
    retention: RetentionArgs,

    /// Send a test mail to this address.
    #[arg(long, value_name = "ADDRESS")]
    send_mail: Option<String>,
}

#[derive(Default)]
struct Report {
    problems: usize,
}

impl Report {
    fn line(&mut self, name: &str, result: Result<String, String>) -> bool {
        match result {
            Ok(detail) => println!("ok       {name}: {detail}"),
            Err(problem) => {
                self.problems += 1;
                println!("PROBLEM  {name}: {problem}");
                return false;
            }
        }
        true
    }
}

pub(super) fn run(args: &DoctorArgs) -> Result<(), CommandError> {
    let mut report = Report::default();
    report.line("data folder", data_folder(&args.storage));
    if let Ok(url) = args
        .storage
        .database()
        .map_err(|problem| report.line("database", Err(problem)))
    {
        let store = Store::new(url.clone());
        let reached = migrate::pending(&url)
            .map_err(|error| error.to_string())
            .and_then(|pending| {
                if pending.is_empty() {
                    Ok(format!("{:?}, schema up to date", url.backend))
                } else {
                    Err(format!(
                        "migrations are pending: {}; run `bugle migrate`",
                        pending.join(", ")
                    ))
                }
            });
        if report.line("database", reached) {
            contents(&store, &mut report);
            storage(&store, args.retention.limits(), &mut report);
        }
    }
    report.line(
        "public address",
        args.storage.public_url().map(|url| {
            if url.starts_with("https://") {
                url
            } else {
                format!("{url} (not https: passwords and events travel in the clear)")
            }
        }),
    );
    mail(args, &mut report);
    match report.problems {
        0 => Ok(()),
        1 => Err("1 problem found".into()),
        count => Err(format!("{count} problems found").into()),
    }
}

fn data_folder(storage: &StorageArgs) -> Result<String, String> {
    let folder = &storage.data_dir;
    create_data_dir(folder)
        .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let probe = folder.join(".doctor");
    std::fs::write(&probe, b"ok")
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|error| {
            format!(
                "cannot write in {}: {error}; give the folder to the user that runs bugle",
                folder.display()
            )
        })?;
    match disk_used(folder) {
        None => Err("cannot ask how full the disk is".to_owned()),
        Some(used) if used >= 90 => Err(format!(
            "the disk of {} is {used} % full; ingest answers 503 from BUGLE_DISK_LIMIT on",
            folder.display()
        )),
        Some(used) => Ok(format!("{}, {used} % of the disk in use", folder.display())),
    }
}

fn contents(store: &Store, report: &mut Report) {
    report.line(
        "accounts",
        store.read_blocking(accounts::any_user).map_err(|error| error.to_string()).and_then(|any| {
            if any { Ok("at least one".to_owned()) } else { Err("none yet: open /setup with the token that `bugle serve` prints, or run `bugle user create`".to_owned()) }
        }),
    );
    report.line(
        "nodes",
        store
            .read_blocking(nodes::alive)
            .map_err(|error| error.to_string())
            .map(|nodes| {
                let names: Vec<String> = nodes
                    .iter()
                    .map(|node| format!("{} ({})", node.name, node.roles))
                    .collect();
                if names.is_empty() {
                    "none is running".to_owned()
                } else {
                    names.join(", ")
                }
            }),
    );
    report.line(
        "balance",
        store
            .read_blocking(nodes::all)
            .map_err(|error| error.to_string())
            .and_then(|nodes| balance(&nodes)),
    );
    report.line(
        "tasks",
        store
            .read_blocking(|conn| Ok(tasks::count_dead(conn)? + dead_records::count(conn)?))
            .map_err(|error| error.to_string())
            .and_then(|count| {
                if count == 0 {
                    Ok("nothing failed for good".to_owned())
                } else {
                    Err(format!(
                        "{count} tasks or events failed for good: see `bugle dead-letters list`"
                    ))
                }
            }),
    );
}

/// How much is kept, of what, and where.
fn storage(store: &Store, limits: RetentionLimits, report: &mut Report) {
    let storage = match storage_report::read(store) {
        Ok(storage) => storage,
        Err(error) => {
            report.line("storage", Err(error.to_string()));
            return;
        }
    };
    report.line("storage", storage_report::summary(&storage, limits));
    for line in storage_report::details(&storage) {
        println!("           {line}");
    }
}

/// Whether every record that the nodes accepted is accounted for, by their last heartbeats.
fn balance(nodes: &[nodes::Node]) -> Result<String, String> {
    let differing: Vec<String> = nodes
        .iter()
        .filter(|node| node.missing() != 0)
        .map(|node| {
            format!(
                "{} accepted {} records, of which {} are unaccounted for",
                node.name,
                node.accepted,
                node.missing()
            )
        })
        .collect();
    if !differing.is_empty() {
        return Err(format!(
            "{}; see the System page and docs/operations.md",
            differing.join("; ")
        ));
    }
    let sum = |number: fn(&nodes::Node) -> i64| nodes.iter().map(number).sum::<i64>();
    Ok(format!(
        "{} records accepted = {} digested + {} waiting + {} damaged",
        sum(|node| node.accepted),
        sum(|node| node.digested),
        sum(|node| node.waiting),
        sum(|node| node.damaged)
    ))
}

fn mail(args: &DoctorArgs, report: &mut Report) {
    let smtp = secret(
        "BUGLE_SMTP_URL",
        args.mail.smtp_url.as_ref(),
        args.mail.smtp_url_file.as_ref(),
    );
    let url = match smtp {
        Ok(Some(url)) => url,
        Ok(None) if args.send_mail.is_some() => {
            report.line("mail", Err("off: set BUGLE_SMTP_URL to send mail".into()));
            return;
        }
        Ok(None) => {
            report.line("mail", Ok("off: BUGLE_SMTP_URL is not set".into()));
            return;
        }
        Err(problem) => {
            report.line("mail", Err(problem));
            return;
        }
    };
    let base_url = args.storage.public_url().unwrap_or_default();
    let config = match MailConfig::new(&url, args.mail.mail_from.as_deref(), &base_url) {
        Ok(config) => config,
        Err(error) => {
            report.line("mail", Err(error.to_string()));
            return;
        }
    };
    let Some(address) = &args.send_mail else {
        report.line(
            "mail",
            Ok(format!(
                "through {}; try it with --send-mail ADDRESS",
                config.server
            )),
        );
        return;
    };
    let sent = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| {
            runtime
                .block_on(email::send_test(&config, address))
                .map_err(|error| error.to_string())
        });
    report.line(
        "mail",
        sent.map(|()| format!("a test mail to {address} is handed to {}", config.server)),
    );
}
