#![doc = include_str!("../README.md")]

pub mod config;
pub mod notice;
mod clock;
mod supervise;
mod fault;
mod identity;
mod http1;
mod http_call;
mod accept;
pub mod lambda;
pub mod listener;
pub mod usage;
pub mod inbound;
pub mod otlp;
pub mod proxy;
pub mod collector;
pub mod export;
pub mod mirror;
pub mod lifecycle;
pub mod app;

pub use app::App;
pub use config::Config;
