//! Options in whatever format serde writes: the names of [`OPTIONS`](super::OPTIONS), each with the text of its value, or a number
//! where that text is one. So records and saved scenes have them too.
//!
//! ```
//! use impasto_style::{Preset, TransferOptions};
//!
//! let options: TransferOptions = serde_json::from_str(r#"{ "preset": "paper", "size": 800, "style-layers": "conv1_1,conv2_1" }"#)?;
//! assert_eq!((options.size, options.init.clone()), (800.into(), Preset::Paper.options().init));
//! let all = serde_json::to_string(&options)?;
//! assert!(all.contains(r#""size":800"#) && all.contains(r#""style-layers":"conv1_1:0.5,conv2_1:0.5""#));
//! assert_eq!(serde_json::from_str::<TransferOptions>(&all)?, options);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::PRESET;
use super::{Init, OPTIONS, OptionsError, TransferOptions, option_name};
use crate::{Choices, Value};

/// Every option that applies.
///
/// An error if the start is a picture in memory, which has no name.
impl Serialize for TransferOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if matches!(self.init, Init::Picture(_)) {
            return Err(S::Error::custom("a start that is a picture in memory has no name: give its file"));
        }
        let mut map = serializer.serialize_map(None)?;
        for (row, text) in OPTIONS.iter().filter_map(|row| Some((row, row.get(self)?))) {
            map.serialize_entry(row.name, &value(text))?;
        }
        map.end()
    }
}

/// A number of more than 63 bits, such as a seed, stays a text: not every format has them.
fn value(text: String) -> Value {
    match Value::from(text) {
        Value::Number(number) if number.as_u64().is_some_and(|number| i64::try_from(number).is_err()) => {
            Value::Text(number.to_string())
        }
        value => value,
    }
}

/// What is not named is that of the `preset`, or of the default one. Synonyms are understood, and values are checked. An error names
/// the nearest option or value if one is near.
impl<'de> Deserialize<'de> for TransferOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfOptions)
    }
}

struct OfOptions;

impl<'de> Visitor<'de> for OfOptions {
    type Value = TransferOptions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("options by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TransferOptions, A::Error> {
        let mut choices = Choices::default();
        while let Some(name) = map.next_key::<String>()? {
            if choices.has(&name) {
                return Err(A::Error::custom(format_args!("the option {name} is there twice")));
            }
            // Of a name that is not known no value is of interest.
            if name != PRESET && OPTIONS.iter().all(|row| row.name != option_name(&name)) {
                return Err(A::Error::custom(OptionsError::Unknown { name }));
            }
            choices.set(&name, &map.next_value::<Value>()?.to_string()).map_err(A::Error::custom)?;
        }
        choices.options().map_err(A::Error::custom)
    }
}
