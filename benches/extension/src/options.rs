//! What the command line asks for.

use std::path::PathBuf;

use anyhow::Context as _;

/// What can be measured apart, in the order in which it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Idle,
    Cold,
    Busy,
    Pace,
    Outage,
    Shutdown,
    Payloads,
}

impl Part {
    const ALL: [(&'static str, Self); 7] = [
        ("idle", Self::Idle),
        ("cold", Self::Cold),
        ("busy", Self::Busy),
        ("pace", Self::Pace),
        ("outage", Self::Outage),
        ("shutdown", Self::Shutdown),
        ("payloads", Self::Payloads),
    ];

    fn called(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, part)| *part)
    }
}

/// How much is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) lives: usize,
    pub(crate) cold_starts: usize,
    pub(crate) rounds: usize,
}

/// 1,000 invocations and the next 10,000.
const SHORT: Extent = Extent { lives: 41, cold_starts: 9, rounds: 11 };
/// Some twenty minutes.
const LONG: Extent = Extent { lives: 201, cold_starts: 51, rounds: 101 };

/// All of it.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) extension: PathBuf,
    pub(crate) floor: PathBuf,
    pub(crate) function: PathBuf,
    pub(crate) wrapper: PathBuf,
    pub(crate) results: PathBuf,
    pub(crate) extent: Extent,
    /// Every part if none was named.
    parts: Vec<Part>,
}

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let [mut extension, mut floor, mut function, mut wrapper, mut results] = [const { None }; 5];
        let (mut extent, mut parts) = (SHORT, Vec::new());
        while let Some(name) = arguments.next() {
            let place = match name.as_str() {
                "--extension" => &mut extension,
                "--floor" => &mut floor,
                "--function" => &mut function,
                "--wrapper" => &mut wrapper,
                "--results" => &mut results,
                "--part" => {
                    let part = arguments.next().unwrap_or_default();
                    parts.push(Part::called(&part).with_context(|| format!("no part is called {part:?}"))?);
                    continue;
                }
                "--long" => {
                    extent = LONG;
                    continue;
                }
                _ => anyhow::bail!("unknown argument {name}"),
            };
            *place = arguments.next();
        }
        let path = |value: Option<String>, name| {
            value.map(PathBuf::from).with_context(|| format!("--{name} is missing"))
        };
        Ok(Self {
            extension: path(extension, "extension")?,
            floor: path(floor, "floor")?,
            function: path(function, "function")?,
            wrapper: path(wrapper, "wrapper")?,
            results: path(results, "results")?,
            extent,
            parts,
        })
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> anyhow::Result<Options> {
        let paths = "--extension a --floor b --function c --wrapper d --results e";
        Options::read(format!("{paths} {arguments}").split_whitespace().map(str::to_owned))
    }

    #[test]
    fn without_a_part_all_of_them_are_wanted() {
        assert!(read("").unwrap().wants(Part::Idle));
        let some = read("--part pace --part outage").unwrap();
        assert_eq!([Part::Idle, Part::Pace, Part::Outage].map(|part| some.wants(part)), [false, true, true]);
        assert!(read("--part everything").is_err());
    }
}
