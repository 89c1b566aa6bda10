//! One program, so that its tests share one ensemble.

mod idle;
mod quickstart;
mod scenarios;
mod throughput;
mod tls;
mod world;
