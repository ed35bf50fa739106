//! The catalogue that a store gives: which typed columns a dataset has for which paths.

use model::Path;

/// One dynamic column of a dataset: all values of one type at one path. The envelope's columns are not in the
/// catalogue; they are the same in every dataset.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    /// Where the value stands inside the event.
    pub path: Path,
    /// What the values are.
    pub kind: ColumnKind,
    /// The column's name in the table.
    pub physical: String,
}

/// What the values of a column are. A path may have one column of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// Whole numbers, 64 bits with sign.
    Int,
    /// Other numbers, 64 bits.
    Float,
    /// True or false.
    Bool,
    /// JSON text of what is none of these: an array, null, an empty object.
    Json,
    /// Microseconds since the epoch, UTC; of the envelope only.
    Timestamp,
}
