//! Client of Pando: a session that outlives its servers.
//!
//! One connection at a time with failover, writes that are applied exactly once, watches that miss
//! nothing. What each part promises, for every language: docs/clients.md.

mod backlog;
mod calls;
mod error;
mod life;
mod link;
mod options;
mod session;
mod watches;

/// The messages and stubs of protos/pando/v1, as `make clients` generates them.
#[allow(clippy::all, missing_docs)]
#[rustfmt::skip]
#[path = "gen/pando.v1.rs"]
pub mod v1;

pub use error::{Error, Reason, Result};
pub use link::{Connection, Signer};
pub use options::Options;
pub use session::{Event, Session};
pub use tonic;
pub use watches::{watch_children, watch_node, watch_subtree, Watch};
