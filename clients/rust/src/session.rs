use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::life::Life;
use crate::v1::session_service_client::SessionServiceClient;
use crate::{v1, Options, Result};

const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What happens to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is open; once, and first.
    Connected,
    /// Its server is gone; calls wait. Whoever holds a lock pauses.
    Suspended,
    /// It lives on, on another server or the same.
    Reconnected,
    /// It is over, with its ephemeral nodes; last.
    Lost,
}

/// A session, its calls and its watches, over one server at a time. Its clones are the same one.
///
/// A call waits while there is no server, until its timeout: then [`crate::Reason::Timeout`], whose
/// `maybe_applied` says whether a write was sent. What a broken connection leaves unanswered goes
/// again on the next server, and is applied once. Calls of one task are applied in their order. When
/// the last clone is dropped, the session is not kept alive any more, and expires.
#[derive(Clone)]
pub struct Session {
    pub(crate) held: Arc<Held>,
    pub(crate) timeout: Duration,
}

/// Ends the session's life with the last who could use it.
pub(crate) struct Held(pub Arc<Life>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.closing.notify_one();
    }
}

impl Session {
    /// Opens a session on whichever endpoint answers. NO_SERVER, which says what is wrong with each
    /// endpoint: none did within the connect timeout; UNAUTHENTICATED: an identity is not accepted.
    pub async fn connect(options: Options) -> Result<Self> {
        let operation_timeout = options.operation_timeout;
        let life = Arc::new(Life::new(options)?);
        let mut turned = life.turned.subscribe();
        let session = Self { held: Arc::new(Held(life.clone())), timeout: operation_timeout };
        tokio::spawn(life.clone().run());
        while life.connection()?.is_none() && life.event().is_none() {
            let _ = turned.changed().await; // `life` has the sender
        }
        Ok(session)
    }

    /// The same session, whose calls wait no longer than `timeout`.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { held: self.held.clone(), timeout }
    }

    pub fn id(&self) -> i64 {
        self.life().id()
    }

    /// As granted.
    pub fn session_timeout(&self) -> Duration {
        self.life().timeout()
    }

    /// What happens to the session, beginning with how it stands now. It ends with it.
    pub fn events(&self) -> mpsc::UnboundedReceiver<Event> {
        self.life().events()
    }

    /// Ends the session, with its ephemeral nodes. Without a server it expires by itself.
    pub async fn close(&self) {
        let life = self.life();
        if let Ok(Some(connection)) = life.connection() {
            let request = v1::CloseRequest { header: Some(life.header()) };
            let mut client = SessionServiceClient::new(connection);
            let _ = timeout(CLOSE_TIMEOUT, client.close(request)).await; // else it expires
        }
        let mut turned = life.turned.subscribe();
        life.closing.notify_one();
        while life.connection().is_ok() {
            let _ = turned.changed().await; // `life` has the sender
        }
    }

    pub(crate) fn life(&self) -> &Life {
        &self.held.0
    }
}
