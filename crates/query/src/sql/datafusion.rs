//! DataFusion's SQL.

use crate::column::ColumnKind;
use crate::sql::{Construct, Dialect, Said};

/// The aggregate, to be registered by whoever runs the statements, that takes floats, a constant
/// fraction, and the floats' weights if they have any.
pub const PERCENTILE: &str = "percentile_of";

/// The function, to be registered by whoever runs the statements, that makes a message its pattern.
pub const PATTERN: &str = "pattern_of";

/// The function, to be registered by whoever runs the statements, that raises a float to a power. The engine's own one
/// ends the query over zero to a negative power.
pub const POWER: &str = "power_of";

/// The function, to be registered by whoever runs the statements, that takes a float's square root. The engine's own
/// one ends the query over a negative number.
pub const ROOT: &str = "root_of";

/// The function, to be registered by whoever runs the statements, that tells in which of the ranges of a constant width a
/// whole number is, rounded down. As arithmetic it would be three divisions for each event.
pub const BUCKET: &str = "bucket_of";

/// The embedded engine (55).
#[derive(Debug, Clone, Copy, Default)]
pub struct DataFusion;

impl DataFusion {
    /// The function, to be registered by whoever runs the statements, that takes a JSON object's text and a dotted key
    /// and returns the value of that kind there, else null; the value of any kind as text, if none is given.
    pub fn overflow_function(kind: Option<ColumnKind>) -> &'static str {
        match kind {
            None => "overflow_any",
            Some(ColumnKind::Text | ColumnKind::Timestamp) => "overflow_text",
            Some(ColumnKind::Int) => "overflow_int",
            Some(ColumnKind::Float) => "overflow_float",
            Some(ColumnKind::Bool) => "overflow_bool",
            Some(ColumnKind::Json) => "overflow_json",
        }
    }
}

impl Dialect for DataFusion {
    fn name(&self) -> &'static str {
        "the embedded engine"
    }

    fn says(&self, _: Construct) -> Said {
        Said::Same
    }

    fn overflow(&self, json: &str, key: &str, kind: Option<ColumnKind>) -> String {
        format!("{}({json}, {})", Self::overflow_function(kind), self.text(key))
    }

    // The exact type of the columns: a cast on the column's side would hide it from statistics.
    fn time(&self, micros: i64) -> String {
        format!("arrow_cast({}, 'Timestamp(Microsecond, Some(\"UTC\"))')", self.int(micros))
    }

    fn type_name(&self, kind: ColumnKind) -> &'static str {
        match kind {
            ColumnKind::Text | ColumnKind::Json => "VARCHAR",
            ColumnKind::Int => "BIGINT",
            ColumnKind::Float => "DOUBLE",
            ColumnKind::Bool => "BOOLEAN",
            ColumnKind::Timestamp => "TIMESTAMP",
        }
    }

    fn contains(&self, text: &str, part: &str) -> String {
        format!("contains({text}, {})", self.text(part))
    }

    fn starts_with(&self, text: &str, prefix: &str) -> String {
        format!("starts_with({text}, {})", self.text(prefix))
    }

    fn like(&self, text: &str, pattern: &str) -> String {
        format!("{text} LIKE {}", self.text(pattern))
    }

    // Case is said inside the pattern: `~*` would make the optimizer read a literal pattern as ILIKE.
    fn matches(&self, text: &str, pattern: &str, match_case: bool) -> String {
        let pattern = if is_lowered_wrongly(pattern) { format!("({pattern})") } else { pattern.to_owned() };
        let flags = if match_case { "" } else { "(?i)" };
        format!("{text} ~ {}", self.text(&format!("{flags}{pattern}")))
    }

    fn power(&self, base: &str, exponent: &str) -> String {
        format!("{POWER}({base}, {exponent})")
    }

    fn root(&self, value: &str) -> String {
        format!("{ROOT}({value})")
    }

    fn pattern(&self, message: &str) -> String {
        format!("{PATTERN}({message})")
    }

    fn micros(&self, time: &str) -> String {
        format!("CAST({time} AS BIGINT)")
    }

    fn bucket(&self, micros: &str, width_micros: i64) -> String {
        format!("{BUCKET}({micros}, {width_micros})")
    }

    fn percentile(&self, value: &str, weight: Option<&str>, fraction: f64) -> String {
        let weight = weight.map(|weight| format!(", {weight}")).unwrap_or_default();
        format!("{PERCENTILE}({value}, {}{weight})", self.float(fraction))
    }
}

/// The optimizer turns a pattern without metacharacters into LIKE, and takes a literal backslash in it for LIKE's
/// escape. A group around such a pattern keeps it a regular expression. In verbose mode the group's end could fall into
/// a comment, so those stay as they are.
fn is_lowered_wrongly(pattern: &str) -> bool {
    let backslash = ["\\\\", "\\x", "\\u", "\\U"].iter().any(|escape| pattern.contains(escape));
    let flags = |rest: &str| rest.chars().take_while(char::is_ascii_alphabetic).any(|flag| flag == 'x');
    backslash && !pattern.split("(?").skip(1).any(flags)
}
