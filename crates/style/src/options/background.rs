//! The colour that transparent pictures are laid on, as text.

use super::row::{Refused, by_name, name_of};

/// Colours with names. Of two names for one the first is shown.
const COLOURS: [([u8; 3], &str); 4] =
    [([255; 3], "white"), ([0; 3], "black"), ([128; 3], "grey"), ([128; 3], "gray")];

/// `none`, a name, or `#rrggbb`.
pub(super) fn background_text(colour: Option<[u8; 3]>) -> String {
    match colour {
        None => "none".to_owned(),
        Some(colour) => colour_text(colour),
    }
}

/// A name, or `#rrggbb`.
fn colour_text(colour: [u8; 3]) -> String {
    let [r, g, b] = colour;
    name_of(&COLOURS, &colour).unwrap_or_else(|| format!("#{r:02x}{g:02x}{b:02x}"))
}

/// Reads `none`, a name, `#rrggbb` or `#rgb`, each digit of which stands for two.
pub(super) fn parse_background(text: &str) -> Result<Option<[u8; 3]>, Refused> {
    if text == "none" {
        return Ok(None);
    }
    let Some(digits) = text.strip_prefix('#') else { return by_name(&COLOURS, text).map(Some) };
    let digits: Option<Vec<u8>> =
        digits.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    match digits.as_deref() {
        Some(&[r, g, b]) => Ok(Some([r, g, b].map(|digit| 17 * digit))),
        Some(&[a, b, c, d, e, f]) => Ok(Some([16 * a + b, 16 * c + d, 16 * e + f])),
        _ => Err(Refused::Value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_colours() {
        for (text, colour, shown) in [
            ("none", None, "none"),
            ("white", Some([255; 3]), "white"),
            ("gray", Some([128; 3]), "grey"),
            ("#000", Some([0; 3]), "black"),
            ("#1aF", Some([0x11, 0xaa, 0xff]), "#11aaff"),
            ("#10203f", Some([0x10, 0x20, 0x3f]), "#10203f"),
        ] {
            assert_eq!(parse_background(text).unwrap(), colour);
            assert_eq!(background_text(colour), shown);
            assert_eq!(parse_background(shown).unwrap(), colour);
        }
        for text in ["", "#", "#12", "#12345", "123456", "#12345g", "#+12", "#é1", "magenta-ish"] {
            assert!(parse_background(text).is_err(), "{text:?}");
        }
    }
}
