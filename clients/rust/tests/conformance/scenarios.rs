//! The scenarios that every language's client passes: clients/conformance/scenarios.json.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::world::{exists, failed, linearizable, took, until, World};
use pando::v1::session_service_client::SessionServiceClient;
use pando::v1::{
    AclEntry, CloseRequest, CreateRequest, EventKind, GetRequest, Identity, NodeKind, SetRequest,
    WatchRequest, WatchTarget,
};
use pando::{watch_children, watch_node, watch_subtree, Event, Options, Reason, Session};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn get(path: &str) -> GetRequest {
    GetRequest { path: path.into(), ..Default::default() }
}

fn set(path: &str, data: &str) -> SetRequest {
    SetRequest { path: path.into(), data: Some(data.into()), ..Default::default() }
}

fn create(path: String) -> CreateRequest {
    CreateRequest { path, ..Default::default() }
}

fn watching(target: WatchTarget) -> WatchRequest {
    WatchRequest { targets: vec![target], ..Default::default() }
}

async fn version(session: &Session, path: &str) -> i64 {
    let request = GetRequest { header: linearizable(), ..get(path) };
    session.get(request).await.unwrap().stat.unwrap().version
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connect() {
    let mut world = World::new().await;
    let session = world.connect(world.options()).await;
    let other = world.connect(world.options()).await;
    assert_eq!(session.events().recv().await, Some(Event::Connected));
    let node = world.create(&session, "mine", NodeKind::Ephemeral).await;
    let request = GetRequest { header: linearizable(), ..get(&node) };
    let got = other.get(request).await.unwrap();
    assert_eq!(got.stat.unwrap().ephemeral_owner, session.id());
    assert_ne!(got.header.unwrap().server_id, 0);
    session.close().await;
    assert!(!exists(&other, &node).await, "it outlived its session");
    failed(session.get(get("/")).await, Reason::Closed);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_errors() {
    let mut world = World::new().await;
    let session = world.connect(world.options()).await;
    let nothing = format!("{}/nothing", world.root);
    assert_eq!(failed(session.get(get(&nothing)).await, Reason::NoNode).path(), nothing);
    failed(session.create(create(world.root.clone())).await, Reason::NodeExists);
    let request = SetRequest { expected_version: Some(7), ..set(&world.root, "") };
    let error = failed(session.set(request).await, Reason::BadVersion);
    assert_eq!(error.metadata["actual_version"], "0");
    failed(session.create(create("no-slash".into())).await, Reason::InvalidPath);
    failed(session.watch(watching(watch_node("no-slash"))).await, Reason::InvalidPath);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_endpoint_up() {
    let mut world = World::new().await;
    let nobody = [world.endpoint("nobody"), world.endpoint("nobody")];
    let began = Instant::now();
    let options = Options { connect_timeout: 2 * SECOND, ..Options::new(nobody.clone()) };
    let error = failed(Session::connect(options).await, Reason::NoServer);
    took(began, 2000, 2500);
    assert!(nobody.iter().all(|endpoint| error.message.contains(endpoint)), "{error}");
    world.end().await;
}

/// Sockets of this process, and tasks of this test.
fn footprint() -> (usize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.flatten().filter_map(|one| std::fs::read_link(one.path()).ok());
    let sockets = targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count();
    (sockets, tokio::runtime::Handle::current().metrics().num_alive_tasks())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaves_nothing() {
    let mut world = World::new().await;
    let (nobody, silent) = (world.endpoint("nobody"), world.endpoint("silent"));
    let before = footprint();
    for _ in 0..10 {
        let endpoints = [nobody.clone(), world.endpoints()[0].clone()];
        let session = Session::connect(Options::new(endpoints)).await.unwrap();
        session.watch(watching(watch_node(&world.root))).await.unwrap();
        session.close().await;
    }
    let options = Options { connect_timeout: SECOND / 3, ..Options::new([silent]) };
    failed(Session::connect(options).await, Reason::NoServer);
    let began = Instant::now();
    while footprint().0 > before.0 || footprint().1 > before.1 {
        assert!(began.elapsed() < 5 * SECOND, "{before:?} have become {:?}", footprint());
        sleep(SECOND / 100).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_endpoint() {
    let mut world = World::new().await;
    let http = world.endpoint("http");
    let began = Instant::now();
    let options = Options { connect_timeout: SECOND, ..Options::new([http]) };
    failed(Session::connect(options).await, Reason::NoServer);
    took(began, 1000, 1500);
    failed(Session::connect(Options::new([""])).await, Reason::InvalidArgument);
    failed(Session::connect(Options::new([""; 0])).await, Reason::InvalidArgument);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_wrong() {
    let mut world = World::new().await;
    for kind in ["nobody", "http"] {
        let wrong = world.endpoint(kind);
        let began = Instant::now();
        let session = world.connect(world.beside(&wrong, 1)).await;
        assert!(exists(&session, "/").await);
        took(began, 0, 1500);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_server() {
    let mut world = World::new().await;
    let silent = world.endpoint("silent");
    let attempt_timeout = SECOND / 2;
    let began = Instant::now();
    world.connect(Options { attempt_timeout, ..world.beside(&silent, 1) }).await;
    took(began, 500, 1500);
    let began = Instant::now();
    let connect_timeout = 2 * SECOND;
    let options = Options { attempt_timeout, connect_timeout, ..Options::new([&silent]) };
    let error = failed(Session::connect(options).await, Reason::NoServer);
    took(began, 2000, 2500);
    assert!(error.message.contains("did not answer"), "{error}");
    // It is named also before it was silent for too long.
    let options = Options { connect_timeout: SECOND / 3, ..Options::new([&silent]) };
    let error = failed(Session::connect(options).await, Reason::NoServer);
    assert!(error.message.contains(&silent), "{error}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_cluster() {
    let mut world = World::new().await;
    let (stranger, front) = (world.endpoint("stranger"), world.front(1));
    let endpoints = [front.clone(), stranger.clone(), world.endpoints()[1].clone()];
    let session = world.connect(Options::new(endpoints)).await;
    let mut events = session.events();
    world.ask(&format!("cut {front}"));
    until(&mut events, Event::Reconnected, 5 * SECOND).await;
    assert!(exists(&session, &world.root).await, "it went on in another ensemble");
    let cluster_id = session.get(get("/")).await.unwrap().header.unwrap().cluster_id;
    let options = Options { cluster_id, connect_timeout: SECOND, ..Options::new([stranger]) };
    let error = Session::connect(options).await.err().expect("it is another ensemble");
    assert!(error.to_string().contains("WRONG_CLUSTER"), "{error}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failover() {
    let mut world = World::new().await;
    let follower = world.follower();
    let session = world.connect(world.first(follower)).await;
    let node = world.create(&session, "mine", NodeKind::Ephemeral).await;
    let mut events = session.events();
    let back = tokio::spawn(async move {
        until(&mut events, Event::Suspended, 10 * SECOND).await;
        let suspended = Instant::now();
        until(&mut events, Event::Reconnected, 10 * SECOND).await;
        suspended.elapsed()
    });
    world.kill(follower);
    let stat = session.set(set(&node, "x")).await.unwrap().stat.unwrap();
    assert_eq!((stat.version, stat.ephemeral_owner), (1, session.id()));
    let back = back.await.unwrap();
    println!("back after {} ms", back.as_millis());
    assert!(back <= Duration::from_millis(200));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failover_in_the_middle_of_a_write() {
    let mut world = World::new().await;
    for server in [world.follower(), world.leader()] {
        world.heal();
        let front = world.front(server);
        let session = world.connect(world.beside(&front, server)).await;
        let rest = world.beside(&world.endpoints()[server % 3].clone(), server);
        let other = world.connect(rest).await;
        let node = world.create(&session, &server.to_string(), NodeKind::Persistent).await;
        world.ask(&format!("mute {front}"));
        let mut writes = JoinSet::new();
        for _ in 0..20 {
            let (session, node) = (session.clone(), node.clone());
            writes.spawn(async move {
                session.set(set(&node, "")).await.unwrap().stat.unwrap().version
            });
        }
        while version(&other, &node).await == 0 {} // until the server has the first of them
        world.kill(server);
        let versions: BTreeSet<i64> = writes.join_all().await.into_iter().collect();
        assert_eq!(versions, (1..=20).collect());
        assert_eq!(version(&session, &node).await, 20);
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_once_under_dropped_replies() {
    let mut world = World::new().await;
    let front = world.front(1);
    let session = world.connect(Options::new([front.clone()])).await;
    let other = world.connect(world.options()).await;
    for count in 1..=10 {
        world.ask(&format!("mute {front}"));
        let path = format!("{}/n-", world.root);
        let request = CreateRequest { sequential: true, ..create(path) };
        let writer = session.clone();
        let created = tokio::spawn(async move { writer.create(request).await.unwrap().path });
        let mut names = world.names(&other).await;
        while names.len() < count {
            names = world.names(&other).await; // until it is applied; its reply is lost
        }
        assert!(!created.is_finished(), "the reply was not lost");
        world.ask(&format!("cut {front}"));
        assert_eq!(created.await.unwrap(), format!("{}/{}", world.root, names[count - 1]));
        assert_eq!(world.names(&other).await.len(), count, "it was applied twice");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maybe_applied() {
    let mut world = World::new().await;
    let front = world.front(1);
    let session = world.connect(Options::new([front.clone()])).await;
    world.ask(&format!("mute {front}"));
    let (hasty, sent) = (session.with_timeout(SECOND / 2), format!("{}/sent", world.root));
    let began = Instant::now();
    let error = failed(hasty.create(create(sent.clone())).await, Reason::Timeout);
    took(began, 500, 1000);
    assert!(error.maybe_applied(), "{error}");
    assert!(!failed(hasty.get(get("/")).await, Reason::Timeout).maybe_applied());
    let mut events = session.events();
    world.ask(&format!("cut {front}"));
    until(&mut events, Event::Reconnected, 5 * SECOND).await;
    assert!(exists(&session, &sent).await, "it was not applied");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_over_a_leader_change() {
    let mut world = World::new().await;
    let leader = world.leader();
    let watcher = world.connect(world.first(leader)).await;
    let writer = world.connect(world.first(leader)).await;
    let mut watch = watcher.watch(watching(watch_subtree(&world.root))).await.unwrap();
    for count in 0..100 {
        if count == 50 {
            world.kill(leader);
        }
        world.create(&writer, &format!("{count:03}"), NodeKind::Persistent).await;
    }
    let mut revision = 0;
    for count in 0..100 {
        let event = timeout(10 * SECOND, watch.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(event.path, format!("{}/{count:03}", world.root));
        assert!(event.revision > revision);
        revision = event.revision;
    }
    assert!(timeout(SECOND / 10, watch.next()).await.is_err(), "one more");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_from_a_revision() {
    let mut world = World::new().await;
    let session = world.connect(world.options()).await;
    let root = world.root.clone();
    session.set(set(&root, "0")).await.unwrap();
    let start_revision = session.set(set(&root, "1")).await.unwrap().header.unwrap().revision;
    session.set(set(&root, "2")).await.unwrap();
    let request = watching(watch_node(&root));
    let past = WatchRequest { start_revision, ..request.clone() };
    let mut past = session.watch(past).await.unwrap();
    let mut state = session.watch(WatchRequest { send_initial: true, ..request }).await.unwrap();
    assert_eq!(state.initial.len(), 1);
    assert_eq!(state.initial[0].data.as_deref(), Some(&b"2"[..]));
    session.set(set(&root, "3")).await.unwrap();
    for (watch, expected) in [(&mut past, &["1", "2", "3"][..]), (&mut state, &["3"][..])] {
        for data in expected {
            let event = timeout(5 * SECOND, watch.next()).await.unwrap().unwrap().unwrap();
            assert_eq!(event.data.as_deref(), Some(data.as_bytes()));
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_before_data() {
    let mut world = World::new().await;
    let writer = world.connect(world.options()).await;
    let reader = world.connect(world.options()).await;
    let busy = world.create(&writer, "busy", NodeKind::Persistent).await;
    let quiet = reader.watch(watching(watch_node(&world.root))).await.unwrap();
    let mut watch = reader.watch(watching(watch_node(&busy))).await.unwrap();
    let children = reader.watch(watching(watch_children(&world.root))).await.unwrap();
    let path = busy.clone();
    let writing = tokio::spawn(async move { while writer.set(set(&path, "")).await.is_ok() {} });
    let mut told = 0;
    for _ in 0..1000 {
        let read = reader.get(get(&busy)).await.unwrap().stat.unwrap().version;
        while !watch.is_empty() {
            told = watch.next().await.unwrap().unwrap().stat.unwrap().version;
        }
        assert!(told >= read, "version {read} came before its event; the last one was {told}");
    }
    writing.abort();
    assert!(told > 0 && quiet.is_empty() && children.is_empty());
    world.end().await;
}

/// A watch that nobody reads costs no more than its bound, and holds nothing back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_is_held_by_no_reader() {
    const COUNT: i64 = 25_000;
    let mut world = World::new().await;
    let operation_timeout = 60 * SECOND;
    let session = world.connect(Options { operation_timeout, ..world.options() }).await;
    let mut watch = session.watch(watching(watch_node(&world.root))).await.unwrap();
    let mut writers = JoinSet::new();
    for _ in 0..100 {
        let (session, root) = (session.clone(), world.root.clone());
        writers.spawn(async move {
            for _ in 0..COUNT / 100 {
                session.set(set(&root, "")).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    assert!(watch.len() <= 12_000, "{} events wait", watch.len());
    for expected in 1..=COUNT {
        let event = timeout(10 * SECOND, watch.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(event.stat.unwrap().version, expected);
    }
    world.end().await;
}

/// Who is cut off knows before anybody else can have what it held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_lost() {
    let mut world = World::new().await;
    let front = world.front(1);
    let session_timeout = 2 * SECOND;
    let options = Options { session_timeout, ..Options::new([front.clone()]) };
    let session = world.connect(options).await;
    let other = world.connect(world.options()).await;
    let node = world.create(&session, "held", NodeKind::Ephemeral).await;
    let mut events = session.events();
    let mut gone = other.watch(watching(watch_node(&node))).await.unwrap();
    let mut watch = session.watch(watching(watch_node(&node))).await.unwrap();
    world.ask(&format!("silence {front}"));
    until(&mut events, Event::Lost, Duration::from_millis(2500)).await;
    assert!(exists(&other, &node).await, "it was told too late");
    assert_eq!(events.recv().await, None);
    let began = Instant::now();
    failed(session.get(get("/")).await, Reason::SessionExpired);
    took(began, 0, 100);
    failed(watch.next().await.unwrap(), Reason::SessionExpired);
    let event = timeout(10 * SECOND, gone.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(event.kind(), EventKind::Deleted);
    world.end().await;
}

/// The servers say that it is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_expired() {
    let mut world = World::new().await;
    let session_timeout = 2 * SECOND;
    let session = world.connect(Options { session_timeout, ..world.options() }).await;
    let mut events = session.events();
    let close = |connection, header| async move {
        let request = CloseRequest { header: Some(header) };
        Ok(SessionServiceClient::new(connection).close(request).await?)
    };
    session.call(close).await.unwrap();
    until(&mut events, Event::Lost, 2 * SECOND).await;
    failed(session.get(get("/")).await, Reason::SessionExpired);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_falls_silent() {
    let mut world = World::new().await;
    let front = world.front(1);
    let options = Options { session_timeout: 3 * SECOND, ..world.beside(&front, 1) };
    let session = world.connect(options).await;
    let mut events = session.events();
    world.ask(&format!("silence {front}"));
    let began = Instant::now();
    let written = session.set(set(&world.root, "")).await.unwrap();
    took(began, 0, 3000);
    assert_eq!(written.stat.unwrap().version, 1);
    until(&mut events, Event::Reconnected, SECOND).await;
    world.end().await;
}

/// Without a majority a write waits for its timeout, and the session goes on when it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_leader() {
    let mut world = World::new().await;
    let options = Options { session_timeout: 30 * SECOND, ..world.first(1) };
    let session = world.connect(options).await;
    world.kill(2);
    world.kill(3);
    let began = Instant::now();
    let hasty = session.with_timeout(2 * SECOND);
    failed(hasty.set(set(&world.root, "x")).await, Reason::Timeout);
    took(began, 2000, 2500);
    world.heal();
    session.set(set(&world.root, "y")).await.unwrap();
    let got = session.get(get(&world.root)).await.unwrap();
    assert_eq!(got.data.as_deref(), Some(&b"y"[..]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acl_denied() {
    let mut world = World::new().await;
    let identities = vec!["digest:ann:secret".to_owned()];
    let ann = world.connect(Options { identities, ..world.options() }).await;
    let anybody = world.connect(world.options()).await;
    let node = format!("{}/hers", world.root);
    let identity = Some(Identity { scheme: "auth".into(), id: String::new() });
    let acl = vec![AclEntry { identity, permissions: 0b11111 }];
    ann.create(CreateRequest { acl, ..create(node.clone()) }).await.unwrap();
    let mut hers = ann.watch(watching(watch_node(&node))).await.unwrap();
    let others = anybody.watch(watching(watch_node(&node))).await.unwrap();
    let denied = failed(anybody.set(set(&node, "x")).await, Reason::PermissionDenied);
    assert!(denied.path() == node && !denied.maybe_applied(), "{denied}");
    failed(anybody.get(get(&node)).await, Reason::PermissionDenied);
    ann.set(set(&node, "y")).await.unwrap();
    let event = timeout(5 * SECOND, hers.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(event.data.as_deref(), Some(&b"y"[..]));
    // What precedes this reply was told: nothing.
    assert!(exists(&anybody, &world.root).await);
    assert!(others.is_empty(), "an event was shown to whom it is not for");
    let identities = vec!["nonsense".to_owned()];
    let options = Options { identities, ..world.options() };
    failed(Session::connect(options).await, Reason::Unauthenticated);
    world.end().await;
}
