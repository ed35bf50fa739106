#![doc = include_str!("../README.md")]

pub mod args;
pub mod exit;
pub mod terminal;
pub mod stream;
pub mod client;
pub mod render;
pub mod command;
