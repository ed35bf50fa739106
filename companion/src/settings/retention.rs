//! How long each dataset is kept, in words: `30d`, `lambda-logs=7d/10GB, otel=/50GB, 90d`.

use std::collections::BTreeMap;

use store::{Retention, is_dataset_name};

/// Powers of 1,000, as sizes are shown.
const UNITS: [(&str, u64); 4] =
    [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)];

/// What is kept of each dataset. By default everything is, for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retentions {
    others: Retention,
    datasets: BTreeMap<String, Retention>,
}

impl Retentions {
    /// What is kept of a dataset.
    pub fn of(&self, dataset: &str) -> Retention {
        self.datasets.get(dataset).copied().unwrap_or(self.others)
    }

    /// Reads the words: parts between commas, each `[DATASET=][DAYSd][/BYTES]`; one without a dataset is for all that
    /// are not named.
    ///
    /// # Errors
    /// With the part that cannot be understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut retentions = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong =
                || format!("{part:?} is no retention: it must be as 30d, lambda-logs=7d/10GB or otel=/50GB");
            match part.split_once('=') {
                Some((dataset, bounds)) if is_dataset_name(dataset.trim()) => {
                    retentions
                        .datasets
                        .insert(dataset.trim().to_owned(), bounds_of(bounds).ok_or_else(wrong)?);
                }
                Some(_) => return Err(wrong()),
                None => retentions.others = bounds_of(part).ok_or_else(wrong)?,
            }
        }
        Ok(retentions)
    }
}

fn bounds_of(text: &str) -> Option<Retention> {
    let (days, bytes) = text.trim().split_once('/').unwrap_or((text.trim(), ""));
    let days = match days {
        "" => None,
        days => Some(days.strip_suffix('d')?.parse().ok()?),
    };
    let bytes = match bytes {
        "" => None,
        bytes => Some(UNITS.iter().find_map(|(unit, size)| {
            bytes.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(*size)
        })?),
    };
    (days.is_some() || bytes.is_some()).then(|| Retention::new(days, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dataset_may_have_its_own_bounds() {
        let retentions = Retentions::parse("lambda-logs=7d/10GB, otel=/50 MB, 90d").unwrap();
        assert_eq!(retentions.of("lambda-logs"), Retention::new(Some(7), Some(10_000_000_000)));
        assert_eq!(retentions.of("otel"), Retention::new(None, Some(50_000_000)));
        assert_eq!(retentions.of("any"), Retention::new(Some(90), None));
        assert_eq!(Retentions::parse("").unwrap().of("any"), Retention::default());
    }

    #[test]
    fn what_is_no_retention_is_named() {
        for text in ["soon", "30", "a=b", "../up=3d", "7d/10", "/", "7d/99999999999TB", "a="] {
            assert!(Retentions::parse(text).unwrap_err().contains(text), "{text}");
        }
    }
}
