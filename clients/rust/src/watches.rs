//! What a session watches, all of it on one stream.
//!
//! One stream, because only so it is known which events precede a reply: `stream_revision` says how
//! far the session's streams must have come, and a stream without an event there would say so only
//! with its next progress mark. Each watch has a cursor of its own; the stream goes on from the
//! lowest, and every watch takes what is above its own.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, watch};
use tonic::Code;

use crate::v1::{EventKind, WalkEntry, WatchEvent, WatchKind, WatchTarget};
use crate::{v1, Error, Reason, Result};

/// A watch that has so many events to be taken lags: it leaves the stream until half are taken.
const WATCH_EVENTS_MAX: usize = 10_000;
const TARGETS_MAX: usize = 10_000;
const NEVER: i64 = i64::MAX;

fn target(path: impl Into<String>, kind: WatchKind, with_data: bool) -> WatchTarget {
    WatchTarget { path: path.into(), kind: kind.into(), with_data, once: false }
}

/// All changes of one node.
pub fn watch_node(path: impl Into<String>) -> WatchTarget {
    target(path, WatchKind::Node, true)
}

/// Direct children that come and go.
pub fn watch_children(path: impl Into<String>) -> WatchTarget {
    target(path, WatchKind::Children, false)
}

/// All changes of a node and of all below it.
pub fn watch_subtree(path: impl Into<String>) -> WatchTarget {
    target(path, WatchKind::Subtree, true)
}

/// As the server does.
fn matches(target: &WatchTarget, event: &WatchEvent) -> bool {
    if target.kind() == WatchKind::Children {
        let parent = event.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let parent = if parent.is_empty() { "/" } else { parent };
        return matches!(event.kind(), EventKind::Created | EventKind::Deleted)
            && event.path != "/"
            && parent == target.path;
    }
    let root = target.path.trim_end_matches('/');
    let below = || event.path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
    event.path == target.path || target.kind() == WatchKind::Subtree && below()
}

/// What a watch's reader and its stream both know.
#[derive(Default)]
struct Backpressure {
    waiting: AtomicUsize,
    lagging: AtomicBool,
}

/// The events of some targets: each once, in order, without a gap, over servers that fail.
pub struct Watch {
    /// With `send_initial`: the state that the events come after, as of `start_revision` - 1.
    pub initial: Vec<WalkEntry>,
    pub start_revision: i64,
    id: u64,
    events: mpsc::UnboundedReceiver<Result<WatchEvent>>,
    pressure: Arc<Backpressure>,
    home: Arc<Watches>,
}

impl Watch {
    /// None: the session was closed. An error is the last item: COMPACTED where changes are no
    /// longer kept, or the session's own end. May be dropped and called again; nothing is missed.
    pub async fn next(&mut self) -> Option<Result<WatchEvent>> {
        let event = self.events.recv().await?;
        if event.is_ok() {
            let left = self.pressure.waiting.fetch_sub(1, Ordering::SeqCst) - 1;
            if left <= WATCH_EVENTS_MAX / 2 && self.pressure.lagging.load(Ordering::SeqCst) {
                self.home.resume(&self.pressure);
            }
        }
        Some(event)
    }

    /// How many events are there to be taken.
    pub fn len(&self) -> usize {
        self.pressure.waiting.load(Ordering::SeqCst)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.home.remove(self.id);
    }
}

/// The stream's end of a watch.
struct Entry {
    id: u64,
    targets: Vec<WatchTarget>,
    /// All up to here was told.
    cursor: i64,
    events: mpsc::UnboundedSender<Result<WatchEvent>>,
    pressure: Arc<Backpressure>,
}

impl Entry {
    fn lags(&self) -> bool {
        self.pressure.lagging.load(Ordering::SeqCst)
    }

    /// Takes those of events that are for it. True: it has begun to lag.
    fn take(&mut self, events: &[WatchEvent], progress: i64) -> bool {
        for event in events {
            let its = self.targets.iter().any(|target| matches(target, event));
            if its && event.revision > self.cursor {
                self.pressure.waiting.fetch_add(1, Ordering::SeqCst);
                let _ = self.events.send(Ok(event.clone())); // else its reader is gone
            }
        }
        self.cursor = self.cursor.max(progress);
        let Backpressure { waiting, lagging } = &*self.pressure;
        if waiting.load(Ordering::SeqCst) > WATCH_EVENTS_MAX {
            lagging.store(true, Ordering::SeqCst);
            // Its reader may have taken all of them meanwhile, and now waits for more.
            if waiting.load(Ordering::SeqCst) <= WATCH_EVENTS_MAX / 2 {
                lagging.store(false, Ordering::SeqCst);
            }
        }
        lagging.load(Ordering::SeqCst)
    }
}

struct State {
    all: Vec<Entry>,
    last_id: u64,
    partial: Vec<WatchEvent>,
    opened_at: i64,
    end: Option<Error>,
}

impl State {
    fn live(&self) -> impl Iterator<Item = &Entry> {
        self.all.iter().filter(|entry| !entry.lags())
    }

    fn cursor(&self) -> i64 {
        self.live().map(|entry| entry.cursor).min().unwrap_or(NEVER)
    }
}

pub(crate) struct Watches {
    /// The stream at hand no longer fits what is watched.
    pub changed: watch::Sender<()>,
    moved: watch::Sender<()>,
    state: Mutex<State>,
}

impl Watches {
    pub fn new() -> Self {
        let (all, partial) = (Vec::new(), Vec::new());
        Self {
            changed: watch::Sender::new(()),
            moved: watch::Sender::new(()),
            state: Mutex::new(State { all, last_id: 0, partial, opened_at: NEVER, end: None }),
        }
    }

    pub fn add(
        self: &Arc<Self>,
        targets: Vec<WatchTarget>,
        start_revision: i64,
        initial: Vec<WalkEntry>,
    ) -> Result<Watch> {
        let mut state = self.state.lock().unwrap();
        if let Some(end) = &state.end {
            return Err(end.clone());
        }
        let others: usize = state.all.iter().map(|entry| entry.targets.len()).sum();
        if others + targets.len() > TARGETS_MAX {
            let message = format!("a session watches at most {TARGETS_MAX} targets");
            return Err(Error::new(Reason::TooLarge, Code::InvalidArgument, message));
        }
        let (sender, events) = mpsc::unbounded_channel();
        let pressure = Arc::new(Backpressure::default());
        state.last_id += 1;
        let id = state.last_id;
        state.all.push(Entry {
            id,
            targets,
            cursor: start_revision - 1,
            events: sender,
            pressure: pressure.clone(),
        });
        self.change();
        Ok(Watch { initial, start_revision, id, events, pressure, home: self.clone() })
    }

    fn remove(&self, id: u64) {
        self.state.lock().unwrap().all.retain(|entry| entry.id != id);
        self.change();
    }

    fn resume(&self, pressure: &Backpressure) {
        let _state = self.state.lock().unwrap();
        pressure.lagging.store(false, Ordering::SeqCst);
        self.change();
    }

    /// Opens the stream; None: nothing is watched.
    pub fn request(&self, header: v1::RequestHeader) -> Option<v1::WatchRequest> {
        self.disconnected();
        let state = self.state.lock().unwrap();
        let targets: Vec<_> = state.live().flat_map(|entry| entry.targets.clone()).collect();
        (!targets.is_empty()).then(|| v1::WatchRequest {
            header: Some(header),
            targets,
            start_revision: state.cursor() + 1,
            send_initial: false,
        })
    }

    pub fn disconnected(&self) {
        let mut state = self.state.lock().unwrap();
        state.opened_at = NEVER;
        state.partial.clear();
    }

    /// Gives a message's events to those who watch for them.
    pub fn take(&self, response: v1::WatchResponse) {
        let mut guard = self.state.lock().unwrap();
        let state = &mut *guard;
        if state.opened_at == NEVER {
            state.opened_at = response.header.unwrap_or_default().revision;
        }
        state.partial.extend(response.events);
        if response.partial {
            return; // a stream that is resumed begins the revision again
        }
        let events = std::mem::take(&mut state.partial);
        let mut changed = false;
        for entry in state.all.iter_mut().filter(|entry| !entry.lags()) {
            changed |= entry.take(&events, response.progress_revision);
        }
        if changed {
            self.change();
        }
        self.moved.send_replace(());
    }

    /// Changes from below its oldest revision are gone, so are the watches that need them.
    pub fn compacted(&self, error: &Error) {
        let mut state = self.state.lock().unwrap();
        let oldest = error.oldest_revision();
        let all_live = !state.live().any(|entry| entry.cursor + 1 < oldest);
        state.all.retain(|entry| {
            let gone = !entry.lags() && (all_live || entry.cursor + 1 < oldest);
            if gone {
                let _ = entry.events.send(Err(error.clone()));
            }
            !gone
        });
        self.change();
    }

    /// Returns once all was told that comes before a reply with this header.
    pub async fn precede(&self, header: &v1::ResponseHeader) {
        let mut moved = self.moved.subscribe();
        while !self.passed(header) && moved.changed().await.is_ok() {}
    }

    fn passed(&self, header: &v1::ResponseHeader) -> bool {
        let state = self.state.lock().unwrap();
        let before_stream = header.revision <= state.opened_at;
        // It may come from when the server did not know the stream yet.
        let due = if before_stream { header.revision } else { header.stream_revision };
        state.cursor() >= due
    }

    /// Ends all watches, and whatever comes.
    pub fn finish(&self, end: &Error) {
        let mut state = self.state.lock().unwrap();
        state.end = Some(end.clone());
        for entry in state.all.drain(..).filter(|_| end.reason != Reason::Closed) {
            let _ = entry.events.send(Err(end.clone()));
        }
        self.moved.send_replace(());
    }

    fn change(&self) {
        self.changed.send_replace(());
        self.moved.send_replace(());
    }
}
