//! What a session has been asked and has not answered, in the order of its request ids.
//!
//! ```text
//! add ──► waiting ──take──► unanswered ──answer──► its caller
//!            ▲                  │
//!            └──────rewind──────┘  the Pipeline broke: all of it goes again, in order, first
//! ```
//! A caller that waits no longer has dropped its end: what is not sent yet then never is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use prost::Message;
use tokio::sync::{oneshot, Notify};

use crate::v1::{self, pipeline_operation, pipeline_result};
use crate::{Error, Reason, Result};

/// A session keeps 1,024 answers for repeats, so no more are under way.
const UNANSWERED_MAX: usize = 1000;
/// A Pipeline's message has at most 4 MiB; one operation of any size always fits.
const BATCH_BYTES_MAX: usize = 1 << 20;
/// With so many messages unanswered, what comes gathers for the next one: so it batches.
const MESSAGES_MAX: usize = 4;

pub(crate) type Answer = (pipeline_result::Result, v1::ResponseHeader);

struct Operation {
    message: v1::PipelineOperation,
    bytes: usize,
    is_write: bool,
    linearizable: bool,
    sent: Arc<AtomicBool>,
    caller: oneshot::Sender<Result<Answer>>,
}

impl Operation {
    fn fail(self, error: Error) {
        let may_be_applied = self.is_write && self.sent.load(Ordering::Relaxed);
        // Whoever waits no longer has said so by dropping its end.
        let _ = self.caller.send(Err(error.of_unanswered(may_be_applied)));
    }
}

/// A caller's end of an operation.
pub(crate) struct Asked {
    pub answer: oneshot::Receiver<Result<Answer>>,
    is_write: bool,
    sent: Arc<AtomicBool>,
}

impl Asked {
    /// Waits no longer; it may have been answered meanwhile.
    pub fn give_up(mut self) -> Result<Answer> {
        self.answer.close();
        self.answer.try_recv().unwrap_or_else(|_| {
            let may_be_applied = self.is_write && self.sent.load(Ordering::Relaxed);
            Err(Error::timeout(None).of_unanswered(may_be_applied))
        })
    }
}

/// The operations of one message, all of one consistency, because a message has one.
pub(crate) struct Batch {
    pub operations: Vec<v1::PipelineOperation>,
    pub linearizable: bool,
    pub first_outstanding: i64,
}

#[derive(Default)]
struct Queues {
    waiting: VecDeque<Operation>,
    unanswered: VecDeque<Operation>,
    /// The last request id of each message that is not answered whole.
    message_ends: VecDeque<i64>,
    last_request_id: i64,
    end: Option<Error>,
}

#[derive(Default)]
pub(crate) struct Backlog {
    /// There may be something to take.
    pub wake: Notify,
    queues: Mutex<Queues>,
}

impl Backlog {
    pub fn add(
        &self,
        operation: pipeline_operation::Operation,
        is_write: bool,
        linearizable: bool,
    ) -> Asked {
        let (caller, answer) = oneshot::channel();
        let sent = Arc::new(AtomicBool::new(false));
        let message = v1::PipelineOperation { request_id: 0, operation: Some(operation) };
        let bytes = message.encoded_len();
        let mut added =
            Operation { message, bytes, is_write, linearizable, sent: sent.clone(), caller };
        let mut queues = self.queues.lock().unwrap();
        if let Some(end) = &queues.end {
            added.fail(end.clone());
        } else {
            queues.last_request_id += 1;
            added.message.request_id = queues.last_request_id;
            queues.waiting.push_back(added);
            self.wake.notify_one();
        }
        Asked { answer, is_write, sent }
    }

    /// None: nothing waits, or too much is unanswered.
    pub fn take(&self) -> Option<Batch> {
        let mut guard = self.queues.lock().unwrap();
        let queues = &mut *guard;
        if queues.message_ends.len() >= MESSAGES_MAX {
            return None;
        }
        let mut operations: Vec<v1::PipelineOperation> = Vec::new();
        let (mut bytes, mut linearizable) = (0, false);
        while queues.unanswered.len() < UNANSWERED_MAX {
            let Some(next) = queues.waiting.front() else { break };
            if !next.caller.is_closed() {
                bytes += next.bytes;
                let fits = bytes <= BATCH_BYTES_MAX && next.linearizable == linearizable;
                if !operations.is_empty() && !fits {
                    break;
                }
                linearizable = next.linearizable;
            }
            let taken = queues.waiting.pop_front().expect("it was at the front");
            if !taken.caller.is_closed() {
                taken.sent.store(true, Ordering::Relaxed);
                operations.push(taken.message.clone());
                queues.unanswered.push_back(taken);
            }
        }
        queues.message_ends.push_back(operations.last()?.request_id);
        let first_outstanding = queues.unanswered.front()?.message.request_id;
        Some(Batch { operations, linearizable, first_outstanding })
    }

    /// Gives one message's results to their callers. Those that are no answer go again with the
    /// next rewind, and the last of them is the error.
    pub fn answer(&self, response: v1::PipelineResponse) -> Result<()> {
        use Reason::{Behind, NoLeader, Overloaded, Timeout};
        let mut queues = self.queues.lock().unwrap();
        let mut again = Ok(());
        for result in response.results {
            let id = result.request_id;
            let asked = queues.unanswered.pop_front_if(|asked| asked.message.request_id == id);
            let Some(asked) = asked else {
                return Err(Error::no_server(format!("answer {id} is out of order")));
            };
            queues.message_ends.pop_front_if(|end| *end == id);
            let mut header = response.header.unwrap_or_default();
            header.revision = result.revision;
            let answer = match result.result {
                Some(pipeline_result::Result::Error(error)) => Err(Error::from(error)),
                Some(result) => Ok((result, header)),
                None => Err(Error::no_server("an empty answer")),
            };
            match answer {
                Err(error) if matches!(error.reason, NoLeader | Behind | Overloaded | Timeout) => {
                    queues.waiting.push_back(asked);
                    again = Err(error);
                }
                answer => drop(asked.caller.send(answer)),
            }
        }
        self.wake.notify_one();
        again
    }

    /// What was sent and not answered goes again, before what was not sent.
    pub fn rewind(&self) {
        let mut guard = self.queues.lock().unwrap();
        let queues = &mut *guard;
        queues.waiting.append(&mut queues.unanswered);
        queues.waiting.retain(|operation| !operation.caller.is_closed());
        queues.waiting.make_contiguous().sort_by_key(|operation| operation.message.request_id);
        queues.message_ends.clear();
        self.wake.notify_one();
    }

    /// Fails everything, and whatever comes.
    pub fn finish(&self, end: &Error) {
        let mut guard = self.queues.lock().unwrap();
        let queues = &mut *guard;
        queues.end = Some(end.clone());
        for operation in queues.unanswered.drain(..).chain(queues.waiting.drain(..)) {
            operation.fail(end.clone());
        }
    }
}
