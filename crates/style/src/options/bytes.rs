//! Amounts of memory as text.

/// `800M`, `1.5G`, `1073741824`; K, M and G are powers of 1024, and may be followed by B or iB.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    let number_end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let factor =
        match unit.trim().trim_end_matches(['b', 'B']).trim_end_matches('i').to_ascii_uppercase().as_str() {
            "" => 1_u64,
            "K" => 1 << 10,
            "M" => 1 << 20,
            "G" => 1 << 30,
            _ => return None,
        };
    match number.parse::<u64>() {
        Ok(number) => Some(number.saturating_mul(factor)),
        Err(_) => number.parse::<f64>().ok().map(|number| (number * factor as f64) as u64),
    }
}

/// The shortest text that [`parse_bytes`] reads as that many bytes.
pub(super) fn bytes_text(bytes: u64) -> String {
    if bytes > 0 && bytes.is_multiple_of(1 << 20) { format!("{}M", bytes >> 20) } else { bytes.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_with_units() {
        assert_eq!(parse_bytes("800M"), Some(800 << 20));
        assert_eq!(parse_bytes("1.5GiB"), Some(3 << 29));
        assert_eq!(parse_bytes("1024"), Some(1024));
        assert_eq!(parse_bytes("2kb"), Some(2048));
        assert!(
            parse_bytes("-1").is_none() && parse_bytes("4 apples").is_none() && parse_bytes("").is_none()
        );
    }

    #[test]
    fn memory_is_read_back_as_it_was_written() {
        for bytes in [0, 1, 512, 800 << 20, (1 << 30) + 1, u64::MAX] {
            assert_eq!(parse_bytes(&bytes_text(bytes)), Some(bytes));
        }
    }
}
