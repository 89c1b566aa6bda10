package pando.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import pando.v1.OperationError;
import pando.v1.Reason;

/**
 * What a call can end with. There is a class for each reason that programs act on; match on it or
 * on {@link #reason}, never on the message.
 */
public class PandoException extends RuntimeException {
  private static final String MAYBE_APPLIED = "maybe_applied";
  private static final String REASON_PREFIX = "REASON_";
  private static final Map<String, Function<Failure, PandoException>> KINDS =
      Map.ofEntries(
          Map.entry("NO_NODE", NoNode::new),
          Map.entry("NODE_EXISTS", NodeExists::new),
          Map.entry("NO_PARENT", NoParent::new),
          Map.entry("NOT_EMPTY", NotEmpty::new),
          Map.entry("BAD_VERSION", BadVersion::new),
          Map.entry("NO_CHILDREN_FOR_EPHEMERALS", Invalid::new),
          Map.entry("INVALID_PATH", Invalid::new),
          Map.entry("INVALID_ARGUMENT", Invalid::new),
          Map.entry("INVALID_ACL", Invalid::new),
          Map.entry("TOO_LARGE", Invalid::new),
          Map.entry("SESSION_EXPIRED", SessionLost::new),
          Map.entry("PERMISSION_DENIED", PermissionDenied::new),
          Map.entry("UNAUTHENTICATED", Unauthenticated::new),
          Map.entry("QUOTA_EXCEEDED", NoSpace::new),
          Map.entry("NO_SPACE", NoSpace::new),
          Map.entry("COMPACTED", Compacted::new),
          Map.entry("TIMEOUT", TimedOut::new),
          Map.entry("WRONG_CLUSTER", WrongCluster::new),
          // This package's own.
          Map.entry("NO_SERVER", Unavailable::new),
          Map.entry("CLOSED", SessionClosed::new),
          Map.entry("INTERRUPTED", Interrupted::new));

  private final Failure failure;

  private PandoException(Failure failure) {
    super(failure.text());
    this.failure = failure;
  }

  /** Why, by the names of common.proto: {@code NO_NODE}. */
  public final String reason() {
    return failure.reason();
  }

  /** The gRPC code. */
  public final Status.Code code() {
    return failure.code();
  }

  /** As common.proto lists it, the path and both versions for instance. */
  public final Map<String, String> metadata() {
    return failure.metadata();
  }

  /** The node that the trouble is with; empty where there is none. */
  public final String path() {
    return metadata().getOrDefault("path", "");
  }

  /** The write may have taken effect, or still may. */
  public final boolean maybeApplied() {
    return "true".equals(metadata().get(MAYBE_APPLIED));
  }

  /** The same request may succeed later or elsewhere. */
  public final boolean retriable() {
    return "true".equals(metadata().get("retriable"));
  }

  // --- How they come about ----------------------------------------------------------------------

  static PandoException make(String reason, Status.Code code, String message) {
    return make(new Failure(reason, code, message, Map.of()));
  }

  static PandoException unavailable(String message) {
    return make("NO_SERVER", Status.Code.UNAVAILABLE, message);
  }

  static PandoException lost(String message) {
    return make("SESSION_EXPIRED", Status.Code.FAILED_PRECONDITION, message);
  }

  static PandoException closed(String message) {
    return make("CLOSED", Status.Code.CANCELLED, message);
  }

  static PandoException timedOut(Duration timeout, String why) {
    return make(
        "TIMEOUT",
        Status.Code.DEADLINE_EXCEEDED,
        "not answered within " + timeout.toMillis() + " ms" + why);
  }

  /** Its caller waits no longer, and does not know what became of it. */
  static PandoException interrupted() {
    return make(
        new Failure(
            "INTERRUPTED",
            Status.Code.CANCELLED,
            "interrupted while it waited",
            Map.of(MAYBE_APPLIED, "true")));
  }

  /** The failure of one operation of a Pipeline. */
  static PandoException of(OperationError error) {
    String name =
        error.getReason() == Reason.UNRECOGNIZED
            ? String.valueOf(error.getReasonValue())
            : error.getReason().name().substring(REASON_PREFIX.length());
    Status.Code code = Status.fromCodeValue(error.getCode()).getCode();
    return make(new Failure(name, code, error.getMessage(), error.getMetadataMap()));
  }

  /** The failure of a call: the server's words, or that there are none. */
  static PandoException of(Throwable error) {
    if (error instanceof PandoException own) {
      return own;
    }
    if (error instanceof CompletionException wrapped && wrapped.getCause() != null) {
      return of(wrapped.getCause());
    }
    if (error instanceof StatusRuntimeException failed) {
      return of(failed.getStatus(), failed.getTrailers());
    }
    if (error instanceof StatusException failed) {
      return of(failed.getStatus(), failed.getTrailers());
    }
    PandoException fault = closed("a fault of the client: " + error);
    fault.initCause(error);
    return fault;
  }

  static PandoException of(Status status, Metadata trailers) {
    for (var detail : StatusProto.fromStatusAndTrailers(status, trailers).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        try {
          ErrorInfo info = detail.unpack(ErrorInfo.class);
          if (info.getDomain().equals("pando")) {
            return make(
                new Failure(
                    info.getReason(), status.getCode(), describe(status), info.getMetadataMap()));
          }
        } catch (InvalidProtocolBufferException malformed) {
          break; // not from a server of ours
        }
      }
    }
    return switch (status.getCode()) {
      case UNIMPLEMENTED -> make("UNIMPLEMENTED", status.getCode(), describe(status));
      case INVALID_ARGUMENT -> make("INVALID_ARGUMENT", status.getCode(), describe(status));
      default -> make("NO_SERVER", status.getCode(), describe(status));
    };
  }

  /** What the network or TLS said is the innermost cause; gRPC's own words are of little help. */
  private static String describe(Status status) {
    String description = status.getDescription();
    String said = description == null ? status.getCode().name() : description;
    if (status.getCause() == null) {
      return said;
    }
    Throwable root = status.getCause();
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return said.lines().findFirst().orElse("")
        + ": "
        + root.getClass().getSimpleName()
        + ": "
        + root.getMessage();
  }

  private static PandoException make(Failure failure) {
    return KINDS.getOrDefault(failure.reason(), PandoException::new).apply(failure);
  }

  // --- What becomes of them ---------------------------------------------------------------------

  /** No other server would say anything else. */
  final boolean isFinal() {
    return switch (reason()) {
      case "NO_SERVER", "WRONG_CLUSTER", "SESSION_MOVED", "UNIMPLEMENTED" -> false;
      default -> !retriable();
    };
  }

  /** The end of an operation that was not answered. */
  final PandoException of(Operation<?> operation) {
    if (!operation.isWrite || !operation.sent) {
      return this;
    }
    Map<String, String> metadata = new HashMap<>(metadata());
    metadata.put(MAYBE_APPLIED, "true");
    return make(new Failure(reason(), code(), failure.message(), metadata));
  }

  /** With the stack of the thread that is told, and this one as its cause. */
  final PandoException rethrown() {
    PandoException here = make(failure);
    here.initCause(this);
    return here;
  }

  // --- Each a kind ------------------------------------------------------------------------------

  /** There is no such node. */
  public static final class NoNode extends PandoException {
    private NoNode(Failure failure) {
      super(failure);
    }
  }

  /** There is such a node already. */
  public static final class NodeExists extends PandoException {
    private NodeExists(Failure failure) {
      super(failure);
    }
  }

  /** The node above it does not exist. */
  public static final class NoParent extends PandoException {
    private NoParent(Failure failure) {
      super(failure);
    }
  }

  /** The node has children. */
  public static final class NotEmpty extends PandoException {
    private NotEmpty(Failure failure) {
      super(failure);
    }
  }

  /** The node has another version than was expected. */
  public static final class BadVersion extends PandoException {
    private BadVersion(Failure failure) {
      super(failure);
    }
  }

  /** The request cannot be right: its path, an argument, an ACL, its size. */
  public static final class Invalid extends PandoException {
    private Invalid(Failure failure) {
      super(failure);
    }
  }

  /** The session is over, and its ephemeral nodes are gone, or will be. */
  public static final class SessionLost extends PandoException {
    private SessionLost(Failure failure) {
      super(failure);
    }
  }

  /** The session was closed here. */
  public static final class SessionClosed extends PandoException {
    private SessionClosed(Failure failure) {
      super(failure);
    }
  }

  /** The ACL does not let this caller. */
  public static final class PermissionDenied extends PandoException {
    private PermissionDenied(Failure failure) {
      super(failure);
    }
  }

  /** An identity was not accepted. */
  public static final class Unauthenticated extends PandoException {
    private Unauthenticated(Failure failure) {
      super(failure);
    }
  }

  /** A quota or a disk is full. */
  public static final class NoSpace extends PandoException {
    private NoSpace(Failure failure) {
      super(failure);
    }
  }

  /** Changes since the start revision are no longer kept: read the state again. */
  public static final class Compacted extends PandoException {
    private Compacted(Failure failure) {
      super(failure);
    }

    /** What can still be watched from. */
    public long oldestRevision() {
      return Long.parseLong(metadata().getOrDefault("oldest_revision", "0"));
    }
  }

  /** Not answered in time; {@link #maybeApplied} says what that means for a write. */
  public static final class TimedOut extends PandoException {
    private TimedOut(Failure failure) {
      super(failure);
    }
  }

  /** The endpoint is of another ensemble. */
  public static final class WrongCluster extends PandoException {
    private WrongCluster(Failure failure) {
      super(failure);
    }
  }

  /** No server answers. */
  public static final class Unavailable extends PandoException {
    private Unavailable(Failure failure) {
      super(failure);
    }
  }

  /** The thread that waited was interrupted; it still is. */
  public static final class Interrupted extends PandoException {
    private Interrupted(Failure failure) {
      super(failure);
    }
  }
}
