#![doc = include_str!("../README.md")]

pub mod settings;
pub mod companion;
pub mod ingest;
pub mod letters;
pub mod upkeep;
pub mod admission;
pub mod engines;
mod question;
mod runs;
pub mod route;
pub mod lambda;

pub use admission::Admissions;
pub use companion::Companion;
pub use engines::EngineSettings;
pub use ingest::{IngestReport, StreamRecord};
pub use settings::{Settings, SettingsError};
