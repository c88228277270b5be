//! How long and how much is kept. In: flags. Out: limits in days, events and bytes.

use clap::Args;

#[derive(Debug, Clone, Args)]
pub struct RetentionArgs {
    /// Days that events are kept.
    #[arg(
        long,
        env = "BUGLE_RETENTION_DAYS",
        default_value_t = 90,
        value_name = "DAYS"
    )]
    pub retention_days: u32,

    /// Events kept of each project, the noisiest issues giving way first; 0 means no limit. Counts stay exact.
    #[arg(
        long,
        env = "BUGLE_RETENTION_EVENTS",
        default_value_t = 0,
        value_name = "COUNT"
    )]
    pub retention_events: u32,

    /// Events kept of each issue, spread over its time; 0 means no limit. Counts stay exact.
    #[arg(
        long,
        env = "BUGLE_RETENTION_ISSUE_EVENTS",
        default_value_t = 0,
        value_name = "COUNT"
    )]
    pub retention_issue_events: u32,

    /// Bytes of events kept in all, with their rows and index entries, as in `20GB` or `500MiB`; 0 means no limit.
    #[arg(long, env = "BUGLE_RETENTION_BYTES", default_value = "0", value_name = "BYTES", value_parser = parse_bytes)]
    pub retention_bytes: i64,

    /// Bytes of attachments kept of each project, unpacked, the oldest giving way first; 0 means no limit.
    #[arg(long, env = "BUGLE_RETENTION_ATTACHMENT_BYTES", default_value = "5GiB", value_name = "BYTES", value_parser = parse_bytes)]
    pub retention_attachment_bytes: i64,
}

/// The limits of [`RetentionArgs`] that are not a time; 0 stands for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionLimits {
    /// Of each project that has no limit of its own.
    pub project_events: i64,
    pub issue_events: i64,
    /// Of everything.
    pub bytes: i64,
    /// Of the attachments of each project.
    pub attachment_bytes: i64,
}

impl RetentionLimits {
    /// Whether any is a limit of events.
    pub const fn are_of_events(&self) -> bool {
        self.project_events > 0 || self.issue_events > 0 || self.bytes > 0
    }
}

impl RetentionArgs {
    pub fn limits(&self) -> RetentionLimits {
        RetentionLimits {
            project_events: i64::from(self.retention_events),
            issue_events: i64::from(self.retention_issue_events),
            bytes: self.retention_bytes,
            attachment_bytes: self.retention_attachment_bytes,
        }
    }
}

/// `20GB`, `500MiB`, `1.5 TB` or a plain number.
pub fn parse_bytes(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let wrong = || {
        format!(
            "{text:?} is no size: write a number of bytes, or one with a unit such as 20GB or 500MiB"
        )
    };
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => return number.parse().map_err(|_| wrong()),
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    let size = number.parse::<f64>().map_err(|_| wrong())? * factor;
    if size > 1e18 {
        return Err(wrong());
    }
    Ok(size.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        let good = [
            ("0", 0),
            ("1234", 1_234),
            ("20GB", 20_000_000_000),
            ("500MiB", 524_288_000),
            ("1.5 tb", 1_500_000_000_000),
            ("64k", 64_000),
            ("1GiB", 1_073_741_824),
        ];
        for (text, bytes) in good {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "-1", "1.5", "20 gigs", "1e9", "99999999999TB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
