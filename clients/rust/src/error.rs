use std::collections::HashMap;
use std::fmt;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::v1;

pub type Result<T> = std::result::Result<T, Error>;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a call failed, by the names of common.proto; the last ones are this crate's own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            fn named(name: &str) -> Self {
                match name { $($name => Self::$variant,)* _ => Self::Unknown }
            }
        }
    };
}

reasons! {
    NoNode = "NO_NODE",
    NodeExists = "NODE_EXISTS",
    NoParent = "NO_PARENT",
    NotEmpty = "NOT_EMPTY",
    BadVersion = "BAD_VERSION",
    NoChildrenForEphemerals = "NO_CHILDREN_FOR_EPHEMERALS",
    InvalidPath = "INVALID_PATH",
    InvalidArgument = "INVALID_ARGUMENT",
    InvalidAcl = "INVALID_ACL",
    TooLarge = "TOO_LARGE",
    /// The session is lost.
    SessionExpired = "SESSION_EXPIRED",
    SessionMoved = "SESSION_MOVED",
    PermissionDenied = "PERMISSION_DENIED",
    Unauthenticated = "UNAUTHENTICATED",
    QuotaExceeded = "QUOTA_EXCEEDED",
    NoSpace = "NO_SPACE",
    NoLeader = "NO_LEADER",
    Behind = "BEHIND",
    Compacted = "COMPACTED",
    Overloaded = "OVERLOADED",
    /// [`Error::maybe_applied`] says what it means for a write.
    Timeout = "TIMEOUT",
    WrongCluster = "WRONG_CLUSTER",
    ConfigInProgress = "CONFIG_IN_PROGRESS",
    /// No server answers.
    NoServer = "NO_SERVER",
    /// The session was closed here.
    Closed = "CLOSED",
    Unimplemented = "UNIMPLEMENTED",
    /// A newer server's.
    Unknown = "UNKNOWN",
}

/// What every call fails with. Match on its reason, never on its message.
#[derive(Clone, Debug)]
pub struct Error {
    pub reason: Reason,
    pub code: Code,
    pub message: String,
    pub metadata: HashMap<String, String>,
}

impl Error {
    pub(crate) fn new(reason: Reason, code: Code, message: impl Into<String>) -> Self {
        Self { reason, code, message: message.into(), metadata: HashMap::new() }
    }

    pub(crate) fn no_server(message: impl Into<String>) -> Self {
        Self::new(Reason::NoServer, Code::Unavailable, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Reason::InvalidArgument, Code::InvalidArgument, message)
    }

    pub(crate) fn lost(message: impl Into<String>) -> Self {
        Self::new(Reason::SessionExpired, Code::FailedPrecondition, message)
    }

    pub(crate) fn closed() -> Self {
        Self::new(Reason::Closed, Code::Cancelled, "the session was closed")
    }

    pub(crate) fn timeout(last: Option<Self>) -> Self {
        let why = last.map_or(String::new(), |last| format!(": {last}"));
        Self::new(Reason::Timeout, Code::DeadlineExceeded, format!("not answered in time{why}"))
    }

    /// The write may have taken effect, or still may.
    pub fn maybe_applied(&self) -> bool {
        self.says("maybe_applied")
    }

    /// The same request may succeed later or elsewhere.
    pub fn retriable(&self) -> bool {
        self.says("retriable")
    }

    /// The node that the trouble is with.
    pub fn path(&self) -> &str {
        self.metadata.get("path").map_or("", String::as_str)
    }

    /// Of [`Reason::Compacted`]: what can still be watched from.
    pub fn oldest_revision(&self) -> i64 {
        self.metadata.get("oldest_revision").and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    fn says(&self, name: &str) -> bool {
        self.metadata.get(name).is_some_and(|value| value == "true")
    }

    /// No other server would say anything else.
    pub(crate) fn is_final(&self) -> bool {
        use Reason::{NoServer, SessionMoved, Unimplemented, WrongCluster};
        !matches!(self.reason, NoServer | WrongCluster | SessionMoved | Unimplemented)
            && !self.retriable()
    }

    /// As the end of an operation that was not answered.
    pub(crate) fn of_unanswered(mut self, may_be_applied: bool) -> Self {
        if may_be_applied {
            self.metadata.insert("maybe_applied".into(), "true".into());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} ({})", self.message, self.reason.name())
    }
}

impl std::error::Error for Error {}

/// The server's words, or that there are none.
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        if let Some(info) = status.get_details_error_info().filter(|info| info.domain == "pando") {
            let reason = Reason::named(&info.reason);
            let metadata = info.metadata;
            return Self {
                reason,
                code: status.code(),
                message: status.message().into(),
                metadata,
            };
        }
        let reason = match status.code() {
            Code::Unimplemented => Reason::Unimplemented,
            Code::InvalidArgument => Reason::InvalidArgument,
            _ => return Self::no_server(chain(&status)),
        };
        Self::new(reason, status.code(), status.message())
    }
}

impl From<tonic::transport::Error> for Error {
    fn from(error: tonic::transport::Error) -> Self {
        Self::no_server(chain(&error))
    }
}

impl From<v1::OperationError> for Error {
    fn from(error: v1::OperationError) -> Self {
        let name = error.reason().as_str_name();
        Self {
            reason: Reason::named(name.strip_prefix("REASON_").unwrap_or(name)),
            code: Code::from(error.code),
            message: error.message,
            metadata: error.metadata,
        }
    }
}

/// An error and what it came of: a transport's own words say only "transport error".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}"); // else a wrapper has said it already
        }
        source = cause.source();
    }
    text
}
