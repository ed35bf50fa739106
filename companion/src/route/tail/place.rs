//! Where somebody who follows a tail stands, and its text: the cursor of a page, or the id of an event.

use std::fmt;
use std::str::FromStr;

use api::Problem;
use store::Cursor;

/// The cursor of a store that has none of the datasets yet: a list of nothing.
const NO_DATASET: &str = ",";

/// Where somebody stands: so many events behind one cursor, of those up to another one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) after: Cursor,
    pub(super) until: Option<Cursor>,
    pub(super) seen: usize,
}

impl Place {
    /// What a page says of it. Where nothing is known yet, no dataset at all, that is not the empty text, which would
    /// begin anew and leave out what comes first.
    pub(super) fn cursor(&self) -> String {
        Some(self.after.to_string()).filter(|text| !text.is_empty()).unwrap_or_else(|| NO_DATASET.to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.until {
            Some(until) => write!(f, "{}/{until}/{}", self.after, self.seen),
            None => self.after.fmt(f),
        }
    }
}

impl FromStr for Place {
    type Err = Box<Problem>;

    fn from_str(text: &str) -> Result<Self, Box<Problem>> {
        let cursor = |text: &str| {
            text.parse::<Cursor>().map_err(|error| Box::new(Problem::bad_request(error.to_string())))
        };
        match text.split('/').collect::<Vec<_>>().as_slice() {
            [after] => Ok(Self { after: cursor(after)?, ..Self::default() }),
            [after, until, seen] => {
                let seen = seen
                    .parse()
                    .map_err(|_| Box::new(Problem::bad_request(format!("{text:?} is no event's id"))))?;
                Ok(Self { after: cursor(after)?, until: Some(cursor(until)?), seen })
            }
            _ => Err(Problem::bad_request(format!("{text:?} is neither a cursor nor an event's id")).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text() {
        for text in ["", "logs:3", "a.b:1,otel:2/a.b:3,otel:2/17", "/logs:0/1"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        assert_eq!(Place::default().cursor().parse::<Place>().unwrap(), Place::default());
        for text in ["logs", "logs:1/2", "a:1/b:2/x", "a:1/b:2/3/4"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
