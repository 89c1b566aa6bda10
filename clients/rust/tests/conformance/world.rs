//! A test's own world: real servers with every fault, by clients/conformance/ensemble.py.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pando::v1::{Consistency, CreateRequest, GetRequest, ListRequest, NodeKind, RequestHeader};
use pando::{Error, Event, Options, Reason, Session};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

pub struct Ensemble {
    /// Reaped by nobody: it ends at the end of its input, with this process.
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    endpoints: Vec<String>,
    down: Vec<usize>,
}

/// One for all tests, whole again before each.
static SHARED: LazyLock<Mutex<Ensemble>> = LazyLock::new(|| Mutex::new(Ensemble::start()));

impl Ensemble {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .arg("../conformance/ensemble.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut ensemble =
            Self { _child: child, input, output, endpoints: Vec::new(), down: Vec::new() };
        let begun = ensemble.read();
        let endpoints = begun["endpoints"].as_array().expect("three servers run");
        ensemble.endpoints = endpoints.iter().map(|one| one.as_str().unwrap().into()).collect();
        ensemble
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).expect("the ensemble answers");
        assert!(answer["error"].is_null(), "{answer}");
        answer
    }
}

pub struct World {
    ensemble: MutexGuard<'static, Ensemble>,
    pub root: String,
    sessions: Vec<Session>,
}

impl World {
    pub async fn new() -> Self {
        // A test that failed leaves the ensemble as good as any other.
        let ensemble = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let mut world = Self { ensemble, root: String::new(), sessions: Vec::new() };
        world.heal();
        let session = world.connect(world.options()).await;
        let path = "/test-".into();
        let request = CreateRequest { path, sequential: true, ..Default::default() };
        world.root = session.create(request).await.unwrap().path;
        world
    }

    pub fn ask(&mut self, command: &str) -> Value {
        writeln!(self.ensemble.input, "{command}").unwrap();
        self.ensemble.read()
    }

    pub fn endpoint(&mut self, command: &str) -> String {
        self.ask(command)["endpoint"].as_str().unwrap().to_owned()
    }

    pub fn heal(&mut self) {
        for server in std::mem::take(&mut self.ensemble.down) {
            self.ask(&format!("start {server}"));
        }
    }

    pub fn kill(&mut self, server: usize) {
        self.ask(&format!("kill {server}"));
        self.ensemble.down.push(server);
    }

    pub fn leader(&mut self) -> usize {
        usize::try_from(self.ask("leader")["id"].as_u64().unwrap()).unwrap()
    }

    pub fn follower(&mut self) -> usize {
        self.leader() % 3 + 1
    }

    pub fn front(&mut self, server: usize) -> String {
        self.endpoint(&format!("front {server}"))
    }

    pub fn endpoints(&self) -> &[String] {
        &self.ensemble.endpoints
    }

    pub fn options(&self) -> Options {
        Options::new(self.endpoints())
    }

    /// `first`, then all servers but `server`.
    pub fn beside(&self, first: &str, server: usize) -> Options {
        let mut endpoints = vec![first.to_owned()];
        let rest = self.endpoints().iter().enumerate().filter(|(at, _)| at + 1 != server);
        endpoints.extend(rest.map(|(_, endpoint)| endpoint.clone()));
        Options::new(endpoints)
    }

    /// All servers, `server` first.
    pub fn first(&self, server: usize) -> Options {
        self.beside(&self.endpoints()[server - 1], server)
    }

    pub async fn connect(&mut self, options: Options) -> Session {
        let session = Session::connect(options).await.unwrap();
        self.sessions.push(session.clone());
        session
    }

    pub async fn create(&self, session: &Session, name: &str, kind: NodeKind) -> String {
        let path = format!("{}/{name}", self.root);
        let request = CreateRequest { path, kind: kind.into(), ..Default::default() };
        session.create(request).await.unwrap().path
    }

    pub async fn names(&self, session: &Session) -> Vec<String> {
        let request =
            ListRequest { path: self.root.clone(), header: linearizable(), ..Default::default() };
        let entries = session.children(request).await.unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    }

    /// Ends the sessions, so that their ephemeral nodes and beats are no other test's.
    pub async fn end(self) {
        for session in &self.sessions {
            session.close().await;
        }
    }
}

pub fn linearizable() -> Option<RequestHeader> {
    let consistency = Consistency::Linearizable.into();
    Some(RequestHeader { consistency, ..Default::default() })
}

pub async fn exists(session: &Session, path: &str) -> bool {
    let request = GetRequest { path: path.into(), header: linearizable(), ..Default::default() };
    match session.get(request).await {
        Ok(_) => true,
        Err(error) if error.reason == Reason::NoNode => false,
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
pub fn failed<T>(result: pando::Result<T>, reason: Reason) -> Error {
    let error = result.err().expect("it succeeded");
    assert_eq!(error.reason, reason, "{error}");
    error
}

pub async fn until(events: &mut UnboundedReceiver<Event>, event: Event, patience: Duration) {
    let found = timeout(patience, async {
        while let Some(next) = events.recv().await {
            if next == event {
                return true;
            }
        }
        false
    });
    assert!(found.await.unwrap_or(false), "no {event:?} within {patience:?}");
}

/// Holds what began at `began` to its time.
#[track_caller]
pub fn took(began: Instant, least_ms: u64, most_ms: u64) {
    let took = began.elapsed();
    let right = Duration::from_millis(least_ms)..=Duration::from_millis(most_ms);
    assert!(right.contains(&took), "took {took:?}, not {right:?}");
}
