//! `LIMELIGHT_ENGINE` and what belongs to it.

use crate::engines::{AthenaPlace, Choice, EngineSettings};

/// AWS's own workgroup, which every account has.
const WORKGROUP: &str = "primary";

impl EngineSettings {
    /// Reads `LIMELIGHT_ENGINE`, `LIMELIGHT_ENGINE_BYTES_MAX`, `LIMELIGHT_ATHENA_DATABASE`,
    /// `LIMELIGHT_ATHENA_WORKGROUP` and `LIMELIGHT_ATHENA_OUTPUT` through `lookup`.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let lookup = |name| lookup(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut faults = Vec::new();
        let usual = match lookup("LIMELIGHT_ENGINE").map(|text| text.parse::<Choice>()) {
            None => Choice::default(),
            Some(Ok(choice)) => choice,
            Some(Err(fault)) => {
                faults.push(format!("LIMELIGHT_ENGINE: {fault}"));
                Choice::default()
            }
        };
        let bytes_max = match lookup("LIMELIGHT_ENGINE_BYTES_MAX").map(|text| (text.parse::<u64>(), text)) {
            None => Self::BYTES_MAX_DEFAULT,
            Some((Ok(bytes), _)) => bytes,
            Some((Err(_), text)) => {
                faults.push(format!("LIMELIGHT_ENGINE_BYTES_MAX must be a number of bytes, got {text:?}"));
                Self::BYTES_MAX_DEFAULT
            }
        };
        let athena = lookup("LIMELIGHT_ATHENA_DATABASE").map(|database| AthenaPlace {
            database,
            workgroup: lookup("LIMELIGHT_ATHENA_WORKGROUP").unwrap_or_else(|| WORKGROUP.to_owned()),
            output: lookup("LIMELIGHT_ATHENA_OUTPUT"),
        });
        if usual == Choice::Athena && athena.is_none() {
            faults.push("LIMELIGHT_ENGINE is athena, and LIMELIGHT_ATHENA_DATABASE is not set".to_owned());
        }
        if let Some(output) =
            athena.as_ref().and_then(|place| place.output.as_ref()).filter(|at| !at.starts_with("s3://"))
        {
            faults.push(format!("LIMELIGHT_ATHENA_OUTPUT must be s3://bucket/prefix/, got {output:?}"));
        }
        if faults.is_empty() { Ok(Self { usual, bytes_max, athena }) } else { Err(faults) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<EngineSettings, Vec<String>> {
        let found =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        EngineSettings::from_env(found)
    }

    #[test]
    fn nothing_said_is_the_embedded_engine() {
        assert_eq!(read(&[]), Ok(EngineSettings::default()));
        let settings =
            read(&[("LIMELIGHT_ENGINE", "auto"), ("LIMELIGHT_ATHENA_DATABASE", "limelight")]).unwrap();
        assert_eq!(settings.usual, Choice::Auto);
        let place =
            AthenaPlace { database: "limelight".to_owned(), workgroup: "primary".to_owned(), output: None };
        assert_eq!(settings.athena, Some(place));
    }

    #[test]
    fn all_faults_are_named() {
        let faults =
            read(&[("LIMELIGHT_ENGINE", "spark"), ("LIMELIGHT_ENGINE_BYTES_MAX", "10GB")]).unwrap_err();
        assert!(faults[0].contains("\"spark\" is no engine") && faults[1].contains("\"10GB\""), "{faults:?}");
        let faults = read(&[("LIMELIGHT_ENGINE", "athena")]).unwrap_err();
        assert!(faults[0].contains("LIMELIGHT_ATHENA_DATABASE is not set"), "{faults:?}");
        let faults =
            read(&[("LIMELIGHT_ATHENA_DATABASE", "d"), ("LIMELIGHT_ATHENA_OUTPUT", "bucket")]).unwrap_err();
        assert!(faults[0].contains("s3://"), "{faults:?}");
    }
}
