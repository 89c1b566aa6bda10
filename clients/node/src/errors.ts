/** What a call can end with: a class for each reason of common.proto that programs act on. */

import { type Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { ErrorInfo, Status } from "./gen/pando/internal/v1/error.js";
import { type OperationError, Reason } from "./gen/pando/v1/common.js";

/** A call that failed. Match on the class or on `reason`, never on the message. */
export class PandoError extends Error {
  /** UPPER_SNAKE, by the names of common.proto; "NO_SERVER": no server said why. */
  readonly reason: string;
  /** The gRPC code. */
  readonly code: status;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the message is without its reason. */
  readonly text: string;

  constructor(text: string, reason: string, code: status, metadata: Record<string, string> = {}) {
    super(reason === "NO_SERVER" ? text : `${text} (${reason})`);
    this.name = new.target.name;
    this.text = text;
    this.reason = reason;
    this.code = code;
    this.metadata = metadata;
  }

  /** The node that the trouble is with. */
  get path(): string {
    return this.metadata.path ?? "";
  }

  /** The write may have taken effect, or still may. */
  get maybeApplied(): boolean {
    return this.metadata.maybe_applied === "true";
  }

  /** The same request may succeed later or elsewhere. */
  get retriable(): boolean {
    return this.metadata.retriable === "true";
  }
}

export class NoNodeError extends PandoError {}
export class NodeExistsError extends PandoError {}
export class NoParentError extends PandoError {}
export class NotEmptyError extends PandoError {}
export class BadVersionError extends PandoError {}
/** The request cannot be right: its path, an argument, an ACL, its size. */
export class InvalidError extends PandoError {}
/** The session is over, and its ephemeral nodes are gone, or will be. */
export class SessionLostError extends PandoError {}
/** The session was closed here. */
export class SessionClosedError extends PandoError {}
export class PermissionDeniedError extends PandoError {}
export class UnauthenticatedError extends PandoError {}
/** A quota or a disk is full. */
export class NoSpaceError extends PandoError {}
/** Not answered in time; `maybeApplied` says what that means for a write. */
export class TimedOutError extends PandoError {}
export class WrongClusterError extends PandoError {}
/** No server answers. */
export class UnavailableError extends PandoError {}
/** Changes since the start revision are no longer kept: read the state again. */
export class CompactedError extends PandoError {
  /** What can still be watched from. */
  get oldestRevision(): bigint {
    return BigInt(this.metadata.oldest_revision ?? "0");
  }
}

const CLASSES: Record<string, typeof PandoError> = {
  NO_NODE: NoNodeError,
  NODE_EXISTS: NodeExistsError,
  NO_PARENT: NoParentError,
  NOT_EMPTY: NotEmptyError,
  BAD_VERSION: BadVersionError,
  NO_CHILDREN_FOR_EPHEMERALS: InvalidError,
  INVALID_PATH: InvalidError,
  INVALID_ARGUMENT: InvalidError,
  INVALID_ACL: InvalidError,
  TOO_LARGE: InvalidError,
  SESSION_EXPIRED: SessionLostError,
  PERMISSION_DENIED: PermissionDeniedError,
  UNAUTHENTICATED: UnauthenticatedError,
  QUOTA_EXCEEDED: NoSpaceError,
  NO_SPACE: NoSpaceError,
  COMPACTED: CompactedError,
  TIMEOUT: TimedOutError,
  WRONG_CLUSTER: WrongClusterError,
  // This package's own.
  NO_SERVER: UnavailableError,
  CLOSED: SessionClosedError,
};

function make(text: string, reason: string, code: status, metadata?: Record<string, string>) {
  return new (CLASSES[reason] ?? PandoError)(text, reason, code, metadata);
}

export function unavailable(text: string): PandoError {
  return make(text, "NO_SERVER", status.UNAVAILABLE);
}

export function lost(text: string): PandoError {
  return make(text, "SESSION_EXPIRED", status.FAILED_PRECONDITION);
}

export function closed(text: string): PandoError {
  return make(text, "CLOSED", status.CANCELLED);
}

export function invalid(text: string, reason: string): PandoError {
  return make(text, reason, status.INVALID_ARGUMENT);
}

export function timedOut(timeoutMs: number, last?: PandoError): PandoError {
  const why = last === undefined ? "" : `: ${last.message}`;
  return make(`not answered within ${timeoutMs} ms${why}`, "TIMEOUT", status.DEADLINE_EXCEEDED);
}

/** The failure of one operation of a Pipeline. */
export function operationFailure(error: OperationError): PandoError {
  return make(error.message, Reason[error.reason] ?? `${error.reason}`, error.code, error.metadata);
}

/** The failure of a call: the server's words, or that there are none. */
export function callFailure(ended: StatusObject): PandoError {
  const info = errorInfo(ended.metadata);
  if (info !== undefined) {
    return make(ended.details, info.reason, ended.code, info.metadata);
  }
  const refused = ended.code === status.UNIMPLEMENTED || ended.code === status.INVALID_ARGUMENT;
  return make(ended.details, refused ? (status[ended.code] as string) : "NO_SERVER", ended.code);
}

function errorInfo(metadata: Metadata): ErrorInfo | undefined {
  for (const value of metadata.get("grpc-status-details-bin")) {
    const details = Status.decode(value as Buffer).details;
    const any = details.find((one) => one.typeUrl.endsWith("/google.rpc.ErrorInfo"));
    const info = any && ErrorInfo.decode(any.value);
    if (info?.domain === "pando") {
      return info;
    }
  }
  return undefined;
}

/** No other server would say anything else. */
export function isFinal(error: PandoError): boolean {
  const another = ["NO_SERVER", "WRONG_CLUSTER", "SESSION_MOVED", "UNIMPLEMENTED"];
  return !another.includes(error.reason) && !error.retriable;
}

/** The same, of a write that may be applied. */
export function maybeApplied(error: PandoError): PandoError {
  const metadata = { ...error.metadata, maybe_applied: "true" };
  return make(error.text, error.reason, error.code, metadata);
}

/** What was thrown, as what callers are told. */
export function asPandoError(thrown: unknown): PandoError {
  return thrown instanceof PandoError ? thrown : closed(`a fault of the client: ${thrown}`);
}
