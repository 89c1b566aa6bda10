//! A session's life: found, attached to one server at a time, lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::select;
use tokio::sync::{mpsc, watch, Notify};
use tokio::time::{sleep, sleep_until, timeout, Instant};

use crate::backlog::Backlog;
use crate::link::{Connection, Link, Signer};
use crate::session::Event;
use crate::v1;
use crate::v1::session_service_client::SessionServiceClient;
use crate::watches::Watches;
use crate::{Error, Options, Reason, Result};

/// Between two rounds of all endpoints, in which none was of use.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// A link that lasted so long was of use: the next round begins at once.
const LINK_GOOD: Duration = Duration::from_secs(1);

/// How the session stands; what its links and its callers share.
struct Standing {
    cluster_id: u64,
    revision: i64,
    id: i64,
    timeout: Duration,
    signer: Signer,
    connection: Option<Connection>,
    event: Option<Event>,
    feeds: Vec<mpsc::UnboundedSender<Event>>,
    end: Option<Error>,
}

pub(crate) struct Life {
    pub options: Options,
    pub backlog: Backlog,
    pub watches: Arc<Watches>,
    /// The session is to be closed.
    pub closing: Notify,
    /// There is another connection, or none, or the end.
    pub turned: watch::Sender<()>,
    lease: watch::Sender<Instant>,
    standing: Mutex<Standing>,
}

impl Life {
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        let standing = Standing {
            cluster_id: options.cluster_id,
            revision: 0,
            id: 0,
            timeout: options.session_timeout,
            signer: Signer::new(&options.identities)?,
            connection: None,
            event: None,
            feeds: Vec::new(),
            end: None,
        };
        Ok(Self {
            backlog: Backlog::default(),
            watches: Arc::new(Watches::new()),
            closing: Notify::new(),
            turned: watch::Sender::new(()),
            lease: watch::Sender::new(Instant::now() + options.connect_timeout),
            standing: Mutex::new(standing),
            options,
        })
    }

    /// From the search for a server to the end. What is under way when that comes is dropped.
    pub async fn run(self: Arc<Self>) {
        let mut search = Search::new(self.options.endpoints.clone());
        let end = select! {
            error = self.live(&mut search) => Some(error),
            () = self.unheard() => None,
            () = self.closing.notified() => Some(Error::closed()),
        };
        let connected = self.event().is_some();
        self.finish(match end {
            Some(error) if error.reason == Reason::Closed || !connected => error,
            Some(error) => Error::lost(error.to_string()),
            None if connected => {
                let within = self.timeout();
                Error::lost(format!("no server confirmed the session within {within:?}: {search}"))
            }
            None => {
                let within = self.options.connect_timeout;
                Error::no_server(format!("no session within {within:?}: {search}"))
            }
        });
    }

    /// Until no server can be of use any more.
    async fn live(&self, search: &mut Search) -> Error {
        loop {
            let error = match self.attach(search.endpoint()).await {
                Ok(link) => {
                    let began = Instant::now();
                    self.backlog.rewind();
                    self.turn(Some(link.connection.clone()));
                    let error = link.serve().await;
                    self.turn(None);
                    if began.elapsed() > LINK_GOOD {
                        search.rest();
                    }
                    if !error.is_final() {
                        self.emit(Event::Suspended);
                    }
                    error
                }
                Err(error) => error,
            };
            if error.is_final() {
                return error;
            }
            search.leave(error).await;
        }
    }

    async fn attach(&self, endpoint: &str) -> Result<Link<'_>> {
        let patience = self.options.attempt_timeout;
        timeout(patience, async {
            let channel = self.options.transport(endpoint)?.connect().await?;
            if self.id() == 0 {
                self.open(Connection::new(channel.clone(), self.signer())).await?;
            }
            let sent = Instant::now();
            let link = Link::attach(self, Connection::new(channel, self.signer())).await?;
            self.renew(sent + self.timeout());
            Ok(link)
        })
        .await
        .unwrap_or_else(|_| {
            let message = format!("took the connection, and did not answer within {patience:?}");
            Err(Error::no_server(message))
        })
    }

    async fn open(&self, connection: Connection) -> Result<()> {
        let timeout_ms = i64::try_from(self.options.session_timeout.as_millis())
            .map_err(|_| Error::invalid("session_timeout"))?;
        let request = v1::OpenRequest { header: Some(self.header()), timeout_ms };
        let opened = SessionServiceClient::new(connection).open(request).await?.into_inner();
        self.heard(opened.header);
        let mut standing = self.standing.lock().unwrap();
        standing.id = opened.session_id;
        standing.signer = standing.signer.with_token(&opened.token);
        standing.timeout = Duration::from_millis(u64::try_from(opened.timeout_ms).unwrap_or(0));
        Ok(())
    }

    /// Until nobody has confirmed the session in time.
    async fn unheard(&self) {
        let mut lease = self.lease.subscribe();
        loop {
            let until = *lease.borrow_and_update();
            select! {
                () = sleep_until(until) => return,
                _ = lease.changed() => {}
            }
        }
    }

    fn turn(&self, connection: Option<Connection>) {
        let found = connection.is_some();
        self.standing.lock().unwrap().connection = connection;
        if found {
            let first = self.event().is_none();
            self.emit(if first { Event::Connected } else { Event::Reconnected });
        }
        self.turned.send_replace(());
    }

    fn emit(&self, event: Event) {
        let mut standing = self.standing.lock().unwrap();
        standing.event = Some(event);
        standing.feeds.retain(|feed| feed.send(event).is_ok());
    }

    fn finish(&self, end: Error) {
        if self.event().is_some() && end.reason != Reason::Closed {
            self.emit(Event::Lost);
        }
        let mut standing = self.standing.lock().unwrap();
        standing.connection = None;
        standing.feeds.clear();
        standing.end = Some(end.clone());
        drop(standing);
        self.backlog.finish(&end);
        self.watches.finish(&end);
        self.turned.send_replace(());
    }

    // What links and calls need.

    pub fn header(&self) -> v1::RequestHeader {
        let standing = self.standing.lock().unwrap();
        v1::RequestHeader {
            cluster_id: standing.cluster_id,
            session_id: standing.id,
            min_revision: standing.revision,
            ..Default::default()
        }
    }

    pub fn heard(&self, header: Option<v1::ResponseHeader>) {
        let Some(header) = header else { return };
        let mut standing = self.standing.lock().unwrap();
        if header.cluster_id != 0 {
            standing.cluster_id = header.cluster_id;
        }
        standing.revision = standing.revision.max(header.revision);
    }

    pub fn renew(&self, until: Instant) {
        self.lease.send_replace(until);
    }

    pub fn id(&self) -> i64 {
        self.standing.lock().unwrap().id
    }

    pub fn timeout(&self) -> Duration {
        self.standing.lock().unwrap().timeout
    }

    /// The newest; None: it was not connected yet.
    pub fn event(&self) -> Option<Event> {
        self.standing.lock().unwrap().event
    }

    /// None: there is none now. An error: there never will be one.
    pub fn connection(&self) -> Result<Option<Connection>> {
        let standing = self.standing.lock().unwrap();
        standing.end.clone().map_or_else(|| Ok(standing.connection.clone()), Err)
    }

    pub fn events(&self) -> mpsc::UnboundedReceiver<Event> {
        let (feed, events) = mpsc::unbounded_channel();
        let mut standing = self.standing.lock().unwrap();
        if let Some(event) = standing.event {
            let _ = feed.send(event);
        }
        if standing.end.is_none() {
            standing.feeds.push(feed);
        }
        events
    }

    fn signer(&self) -> Signer {
        self.standing.lock().unwrap().signer.clone()
    }
}

/// The endpoints in turn, and what was wrong with each.
struct Search {
    endpoints: Vec<String>,
    at: usize,
    tried: usize,
    pause: Duration,
    failures: HashMap<String, Error>,
}

impl Search {
    fn new(endpoints: Vec<String>) -> Self {
        Self { endpoints, at: 0, tried: 0, pause: PAUSE_MIN, failures: HashMap::new() }
    }

    fn endpoint(&self) -> &str {
        &self.endpoints[self.at]
    }

    /// What was wrong is over.
    fn rest(&mut self) {
        self.tried = 0;
        self.pause = PAUSE_MIN;
        self.failures.clear();
    }

    /// Goes on to the next endpoint; after a round in which none was of use, with a pause.
    async fn leave(&mut self, error: Error) {
        self.failures.insert(self.endpoint().to_owned(), error);
        self.at = (self.at + 1) % self.endpoints.len();
        self.tried += 1;
        if self.tried.is_multiple_of(self.endpoints.len()) {
            sleep(self.pause).await;
            self.pause = PAUSE_MAX.min(2 * self.pause);
        }
    }
}

impl std::fmt::Display for Search {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let failed = |endpoint: &String| match self.failures.get(endpoint) {
            Some(error) if error.reason == Reason::NoServer => {
                Some(format!("{endpoint}: {}", error.message))
            }
            Some(error) => Some(format!("{endpoint}: {error}")),
            None if endpoint == self.endpoint() => {
                Some(format!("{endpoint}: has not answered yet"))
            }
            None => None,
        };
        let why: Vec<_> = self.endpoints.iter().filter_map(failed).collect();
        to.write_str(&why.join("; "))
    }
}
