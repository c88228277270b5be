//! Bytes as people read them. In: a number. Out: three digits and a unit.

const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

/// `512 B`, `1.5 KiB`, `20.0 GiB`
pub fn bytes(number: i64) -> String {
    let size = number as f64;
    if size.abs() < 1024.0 {
        return format!("{number} B");
    }
    let mut scaled = size / 1024.0;
    let mut unit = 0;
    while scaled.abs() >= 1023.95 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{scaled:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_a_unit() {
        let table = [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_048_570, "1.0 MiB"),
            (20_000_000_000, "18.6 GiB"),
            (-2_048, "-2.0 KiB"),
        ];
        for (number, text) in table {
            assert_eq!(bytes(number), text);
        }
    }
}
