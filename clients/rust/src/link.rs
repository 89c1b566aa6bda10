//! The one server that a session is attached to: a Pipeline, a KeepAlive, a Watch stream. It lasts
//! until the first of them fails; whoever made it then makes another, on the next server.

use std::future::pending;
use std::time::Duration;

use tokio::select;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout, Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, Binary, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::service::Interceptor;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::life::Life;
use crate::v1::session_service_client::SessionServiceClient;
use crate::v1::tree_service_client::TreeServiceClient;
use crate::v1::{self, Consistency, SessionState};
use crate::{Error, Reason, Result};

/// Above every message of the API, which are at most 4 MiB.
const MESSAGE_BYTES_MAX: usize = 8 << 20;
/// A beat every third of the session's timeout; a server that does not answer it within another
/// sixth is left, so that half of the timeout remains to find the next one.
const BEATS_PER_TIMEOUT: u32 = 3;
const PATIENCE_PER_TIMEOUT: u32 = 6;
/// How often a server without a leader is asked again, and how long it may have none.
const NO_LEADER_PAUSE: Duration = Duration::from_millis(200);
const NO_LEADER_MAX: Duration = Duration::from_secs(1);

/// The session's server, for the stubs of any service: each call shows who asks.
pub type Connection = InterceptedService<Channel, Signer>;

/// Adds who asks to every call.
#[derive(Clone, Default)]
pub struct Signer {
    identities: Vec<MetadataValue<Ascii>>,
    token: Option<MetadataValue<Binary>>,
}

impl Signer {
    pub(crate) fn new(identities: &[String]) -> Result<Self> {
        let identities = identities
            .iter()
            .map(|identity| identity.parse())
            .collect::<std::result::Result<_, _>>();
        let identities =
            identities.map_err(|error| Error::invalid(format!("identity: {error}")))?;
        Ok(Self { identities, token: None })
    }

    pub(crate) fn with_token(&self, token: &[u8]) -> Self {
        let token = Some(MetadataValue::from_bytes(token));
        Self { identities: self.identities.clone(), token }
    }
}

impl Interceptor for Signer {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        for identity in &self.identities {
            metadata.append("pando-auth", identity.clone());
        }
        if let Some(token) = &self.token {
            metadata.insert_bin("pando-session-token-bin", token.clone());
        }
        Ok(request)
    }
}

pub(crate) fn tree(connection: &Connection) -> TreeServiceClient<Connection> {
    TreeServiceClient::new(connection.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
}

/// A stream that ends well ends because its server does.
pub(crate) async fn next<M>(stream: &mut Streaming<M>) -> Result<M> {
    stream.message().await?.ok_or_else(|| Error::no_server("the server is going away"))
}

pub(crate) struct Link<'a> {
    life: &'a Life,
    pub connection: Connection,
    requests: mpsc::Sender<v1::PipelineRequest>,
    responses: Streaming<v1::PipelineResponse>,
}

impl<'a> Link<'a> {
    /// Moves the session here: from now on nothing takes effect that it sent elsewhere.
    pub async fn attach(life: &'a Life, connection: Connection) -> Result<Self> {
        let (requests, stream) = mpsc::channel(1);
        let first = v1::PipelineRequest { header: Some(life.header()), operations: Vec::new() };
        requests.try_send(first).expect("it has room for one");
        let mut responses =
            tree(&connection).pipeline(ReceiverStream::new(stream)).await?.into_inner();
        life.heard(next(&mut responses).await?.header);
        Ok(Self { life, connection, requests, responses })
    }

    /// Until the server is of no more use; says why.
    pub async fn serve(self) -> Error {
        let Self { life, connection, requests, mut responses } = self;
        let end = select! {
            () = send(life, requests) => unreachable!("it never ends by itself"),
            Err(error) = receive(life, &mut responses) => error,
            Err(error) = beat(life, &connection) => error,
            Err(error) = watch(life, &connection) => error,
        };
        life.watches.disconnected();
        end
    }
}

/// What gathers while messages are unanswered makes the next one: so it batches.
async fn send(life: &Life, requests: mpsc::Sender<v1::PipelineRequest>) {
    loop {
        let Some(batch) = life.backlog.take() else {
            life.backlog.wake.notified().await;
            continue;
        };
        let mut header = life.header();
        header.first_outstanding_request_id = batch.first_outstanding;
        if batch.linearizable {
            header.consistency = Consistency::Linearizable.into();
        }
        let request = v1::PipelineRequest { header: Some(header), operations: batch.operations };
        if requests.send(request).await.is_err() {
            pending::<()>().await; // receive is told why
        }
    }
}

async fn receive(
    life: &Life,
    responses: &mut Streaming<v1::PipelineResponse>,
) -> Result<std::convert::Infallible> {
    loop {
        let response = next(responses).await?;
        life.watches.precede(&response.header.unwrap_or_default()).await;
        life.heard(response.header);
        life.backlog.answer(response)?;
    }
}

async fn beat(life: &Life, connection: &Connection) -> Result<std::convert::Infallible> {
    let session_timeout = life.timeout();
    let patience = session_timeout / PATIENCE_PER_TIMEOUT;
    let silent = |_| Error::no_server("the server does not answer");
    let (beats, stream) = mpsc::channel(1);
    let mut client = SessionServiceClient::new(connection.clone());
    let mut answers: Option<Streaming<v1::KeepAliveResponse>> = None;
    let mut stream = Some(stream);
    let mut leader_lost: Option<Instant> = None;
    loop {
        let sent = Instant::now();
        let beat = v1::KeepAliveRequest { header: Some(life.header()) };
        let _ = beats.send(beat).await; // the answer is the error
        let exchange = async {
            if let Some(stream) = stream.take() {
                // A server opens its side when it has the first beat.
                answers = Some(client.keep_alive(ReceiverStream::new(stream)).await?.into_inner());
            }
            next(answers.as_mut().expect("it is open")).await
        };
        let answer = timeout(patience, exchange).await.map_err(silent)??;
        life.heard(answer.header);
        let pause = match answer.state() {
            SessionState::Expired => return Err(Error::lost("the session is over")),
            SessionState::Ok => {
                let left = u64::try_from(answer.time_left_ms).unwrap_or(0);
                life.renew(sent + Duration::from_millis(left));
                leader_lost = None;
                session_timeout / BEATS_PER_TIMEOUT
            }
            _ if leader_lost.get_or_insert(sent).elapsed() > NO_LEADER_MAX => {
                return Err(Error::no_server("the server knows no leader"));
            }
            _ => NO_LEADER_PAUSE,
        };
        sleep(pause).await;
    }
}

/// Keeps one stream open that fits what is watched.
async fn watch(life: &Life, connection: &Connection) -> Result<std::convert::Infallible> {
    let mut changed = life.watches.changed.subscribe();
    loop {
        changed.borrow_and_update();
        let request = life.watches.request(life.header());
        let read = async {
            match request {
                Some(request) => read_watch(life, connection, request).await,
                None => pending().await,
            }
        };
        select! {
            _ = changed.changed() => {}
            Err(error) = read => match error.reason {
                Reason::Compacted => life.watches.compacted(&error),
                _ => return Err(error),
            },
        }
    }
}

async fn read_watch(
    life: &Life,
    connection: &Connection,
    request: v1::WatchRequest,
) -> Result<std::convert::Infallible> {
    let mut stream = tree(connection).watch(request).await?.into_inner();
    loop {
        life.watches.take(next(&mut stream).await?);
    }
}
