//! DataFusion's SQL.

use crate::column::ColumnKind;
use crate::sql::Dialect;

/// The embedded engine (55).
#[derive(Debug, Clone, Copy, Default)]
pub struct DataFusion;

impl Dialect for DataFusion {
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

    fn bucket(&self, time: &str, width_micros: i64) -> String {
        let micros = format!("CAST({time} AS BIGINT)");
        // `%` has the sign of its left side; times before the epoch round down all the same.
        format!(
            "({micros} - (({micros} % {width_micros}) + {width_micros}) % {width_micros}) / {width_micros}"
        )
    }

    fn percentile(&self, value: &str, fraction: f64) -> String {
        format!("percentile_cont({value}, {})", self.float(fraction))
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
