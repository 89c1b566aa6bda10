//! What programs call, from any task.

use std::future::Future;
use std::time::Duration;

use tokio::time::{sleep, timeout, timeout_at, Instant};

use crate::backlog::Answer;
use crate::link::{next, tree};
use crate::v1::pipeline_operation::Operation;
use crate::v1::pipeline_result::Result as Answered;
use crate::v1::{self, Consistency, RequestHeader};
use crate::{Connection, Error, Reason, Result, Session, Watch};

/// Between two tries of a call on a link that is about to be found broken.
const CALL_PAUSE: Duration = Duration::from_millis(20);

/// A call of TreeService by the Pipeline. Of the header that its caller gives only the consistency
/// counts: the rest is the session's.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($request:ident) -> $response:ident: $variant:ident, $is_write:literal;)*) => {
        $($(#[$doc])*
        pub async fn $name(&self, mut request: v1::$request) -> Result<v1::$response> {
            let linearizable = request.header.take().is_some_and(|header| {
                !$is_write && header.consistency() == Consistency::Linearizable
            });
            match self.ask(Operation::$variant(request), $is_write, linearizable).await? {
                (Answered::$variant(mut response), header) => {
                    response.header = Some(header);
                    Ok(response)
                }
                _ => Err(Error::no_server("an answer to something else")),
            }
        })*
    };
}

impl Session {
    calls! {
        /// Makes a node; the response has its actual path.
        create(CreateRequest) -> CreateResponse: Create, true;
        /// Reads a node's data and Stat. It shows at least what this session has seen before.
        get(GetRequest) -> GetResponse: Get, false;
        /// Replaces a node's data.
        set(SetRequest) -> SetResponse: Set, true;
        /// Removes a node.
        delete(DeleteRequest) -> DeleteResponse: Delete, true;
        /// Reads a page of a node's children.
        list(ListRequest) -> ListResponse: List, false;
        /// Reads a node's ACL.
        get_acl(GetAclRequest) -> GetAclResponse: GetAcl, false;
        /// Replaces a node's ACL.
        set_acl(SetAclRequest) -> SetAclResponse: SetAcl, true;
        /// Runs all of one list or nothing: `then_operations` if every compare is true.
        transact(TransactRequest) -> TransactResponse: Transact, true;
        /// Later reads show all that was committed anywhere before it.
        sync(SyncRequest) -> SyncResponse: Sync, false;
    }

    /// All of a node's children, in the order of their names.
    pub async fn children(&self, mut request: v1::ListRequest) -> Result<Vec<v1::ListEntry>> {
        let mut entries = Vec::new();
        loop {
            let page = self.list(request.clone()).await?;
            entries.extend(page.entries);
            if page.next_page_token.is_empty() {
                return Ok(entries);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Reads a subtree, a node before its children, and the one revision that all of it is of.
    pub async fn walk(&self, request: v1::WalkRequest) -> Result<(Vec<v1::WalkEntry>, i64)> {
        let consistency = request.header.map_or(0, |header| header.consistency);
        let request = &request;
        self.call(|connection, header| async move {
            let header = Some(RequestHeader { consistency, ..header });
            let mut stream = tree(&connection)
                .walk(v1::WalkRequest { header, ..request.clone() })
                .await?
                .into_inner();
            let (mut entries, mut revision) = (Vec::new(), 0);
            while let Some(part) = stream.message().await? {
                self.life().watches.precede(&part.header.unwrap_or_default()).await;
                entries.extend(part.entries);
                revision = part.revision;
            }
            Ok((entries, revision))
        })
        .await
    }

    /// Watches targets: see [`crate::watch_node`], [`crate::watch_children`] and
    /// [`crate::watch_subtree`]. It begins now, or with `start_revision`, or with `send_initial`
    /// after the state in [`Watch::initial`]. A reply that comes after an event is given only when
    /// the event is there to be taken. A target with `once` is INVALID_ARGUMENT: drop the watch
    /// instead.
    pub async fn watch(&self, request: v1::WatchRequest) -> Result<Watch> {
        if request.targets.iter().any(|target| target.once) {
            return Err(Error::invalid("a target with once"));
        }
        // It begins on a stream of its own, so that what is wrong with it is its alone.
        let asked = &request;
        let (start_revision, initial) = self
            .call(|connection, header| async move {
                let header = Some(RequestHeader { session_id: 0, ..header }); // it precedes no reply
                let request = v1::WatchRequest { header, ..asked.clone() };
                self.begin_watch(&connection, request).await
            })
            .await?;
        self.life().watches.add(request.targets, start_revision, initial)
    }

    async fn begin_watch(
        &self,
        connection: &Connection,
        request: v1::WatchRequest,
    ) -> Result<(i64, Vec<v1::WalkEntry>)> {
        let (asked_start, send_initial) = (request.start_revision, request.send_initial);
        let mut stream = tree(connection).watch(request).await?.into_inner();
        let mut initial = Vec::new();
        loop {
            let first = next(&mut stream).await?;
            self.life().heard(first.header);
            initial.extend(first.initial_nodes);
            if first.initial_done || !send_initial {
                // With a revision asked for, the first message may have events already.
                let now = first.progress_revision + 1;
                return Ok((if asked_start == 0 { now } else { asked_start }, initial));
            }
        }
    }

    /// Runs `body` on the session's server, with a connection that shows who asks and a header that
    /// names the session, until a server has answered it. For rpcs of other services: every one
    /// outside TreeService may be repeated.
    pub async fn call<R, F>(&self, body: impl Fn(Connection, RequestHeader) -> F) -> Result<R>
    where
        F: Future<Output = Result<R>>,
    {
        let deadline = Instant::now() + self.timeout;
        let mut last = None;
        let answered = timeout_at(deadline, async {
            let mut turned = self.life().turned.subscribe();
            loop {
                turned.borrow_and_update();
                let Some(connection) = self.life().connection()? else {
                    let _ = turned.changed().await; // the session has the sender
                    continue;
                };
                match body(connection, self.life().header()).await {
                    Err(error) if error.reason == Reason::NoServer || error.retriable() => {
                        last = Some(error);
                        sleep(CALL_PAUSE).await;
                    }
                    answer => return answer,
                }
            }
        })
        .await;
        answered.unwrap_or_else(|_| Err(Error::timeout(last)))
    }

    async fn ask(
        &self,
        operation: Operation,
        is_write: bool,
        linearizable: bool,
    ) -> Result<Answer> {
        let mut asked = self.life().backlog.add(operation, is_write, linearizable);
        match timeout(self.timeout, &mut asked.answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(Error::closed())),
            Err(_) => asked.give_up(),
        }
    }
}
