//! What time it is in one environment, for its records and, through a file that they have mapped, for its processes.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use crate::clock::FakedClock;

/// See the module.
#[derive(Debug)]
pub(crate) struct WallClock {
    faked: Option<FakedClock>,
    /// What drawn faults have added to it.
    drawn_ms: i64,
    /// Ahead of the machine's clock since the last thaw.
    ahead_ms: i64,
    file: PathBuf,
}

impl WallClock {
    /// `instance` names the file.
    pub(crate) fn new(faked: Option<FakedClock>, instance: &str) -> io::Result<Self> {
        let file = std::env::temp_dir().join(format!("limelight-clock-{instance}"));
        let mut clock = Self { faked, drawn_ms: 0, ahead_ms: 0, file };
        clock.adjust(0)?;
        Ok(clock)
    }

    pub(crate) fn is_faked(&self) -> bool {
        self.faked.is_some()
    }

    pub(crate) fn now(&self) -> SystemTime {
        let ahead = Duration::from_millis(self.ahead_ms.unsigned_abs());
        if self.ahead_ms < 0 { SystemTime::now() - ahead } else { SystemTime::now() + ahead }
    }

    /// At a thaw: goes where it was set meanwhile, and so much further.
    pub(crate) fn adjust(&mut self, drawn_ms: i64) -> io::Result<()> {
        let Some(faked) = &self.faked else { return Ok(()) };
        self.drawn_ms += drawn_ms;
        self.ahead_ms = faked.ahead_ms() + self.drawn_ms;
        // In place: processes have it mapped.
        let mut file = File::options().create(true).truncate(false).write(true).open(&self.file)?;
        file.write_all(&self.ahead_ms.to_ne_bytes())
    }

    /// The variables that put a process under this clock.
    pub(crate) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let Some(faked) = &self.faked else { return Vec::new() };
        vec![("LD_PRELOAD", faked.library().into()), ("SANDBOX_CLOCK_FILE", self.file.clone().into())]
    }
}

impl Drop for WallClock {
    fn drop(&mut self) {
        if self.faked.is_some() {
            // A file that is left behind in the temporary folder does no harm.
            let _ = fs::remove_file(&self.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_where_it_is_set_at_the_next_thaw() {
        let folder = tempfile::tempdir().unwrap();
        let faked = FakedClock::compile(folder.path()).unwrap();
        let mut clock = WallClock::new(Some(faked.clone()), "test-of-the-wall-clock").unwrap();
        let file = clock.file.clone();
        let ahead_ms = || i64::from_ne_bytes(fs::read(&file).unwrap().try_into().unwrap());
        faked.jump(-1_500);
        assert_eq!(ahead_ms(), 0);
        clock.adjust(0).unwrap();
        assert_eq!(ahead_ms(), -1_500);
        assert!(clock.now() < SystemTime::now());
        clock.adjust(3_600_000).unwrap();
        assert_eq!(ahead_ms(), 3_598_500);
        assert!(clock.now() > SystemTime::now() + Duration::from_secs(3_000));
        drop(clock);
        assert!(!file.exists());
    }
}
