use std::time::Duration;

use tonic::transport::{ClientTlsConfig, Endpoint};

use crate::{Error, Result};

/// How a session is to be had.
#[derive(Clone, Debug)]
pub struct Options {
    /// HOST:PORT each; one is used at a time, the first one first.
    pub endpoints: Vec<String>,
    /// How long the ensemble waits for a silent client.
    pub session_timeout: Duration,
    /// For connect to find a server and get a session.
    pub connect_timeout: Duration,
    /// Of a call; see [`crate::Session::with_timeout`].
    pub operation_timeout: Duration,
    /// How long a server may be silent to an attempt to connect before the next one is tried.
    pub attempt_timeout: Duration,
    /// The ensemble that is meant; 0: whichever answers first.
    pub cluster_id: u64,
    pub tls: Option<ClientTlsConfig>,
    /// "digest:user:password"
    pub identities: Vec<String>,
}

impl Options {
    pub fn new<E: Into<String>>(endpoints: impl IntoIterator<Item = E>) -> Self {
        Self {
            endpoints: endpoints.into_iter().map(Into::into).collect(),
            session_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            operation_timeout: Duration::from_secs(10),
            attempt_timeout: Duration::from_secs(1),
            cluster_id: 0,
            tls: None,
            identities: Vec::new(),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.endpoints.is_empty() {
            return Err(Error::invalid("at least one endpoint is needed"));
        }
        self.endpoints.iter().try_for_each(|endpoint| self.transport(endpoint).map(drop))
    }

    pub(crate) fn transport(&self, endpoint: &str) -> Result<Endpoint> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let transport = Endpoint::from_shared(format!("{scheme}://{endpoint}"))
            .map_err(|error| Error::invalid(format!("endpoint {endpoint:?}: {error}")))?;
        match &self.tls {
            Some(tls) => Ok(transport.tls_config(tls.clone())?),
            None => Ok(transport),
        }
    }
}
