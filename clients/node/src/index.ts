/** Client of Pando: a session that outlives its servers. Begin with connect(). */
export type { SessionEvent } from "./core.js";
export {
  BadVersionError,
  CompactedError,
  InvalidError,
  NodeExistsError,
  NoNodeError,
  NoParentError,
  NoSpaceError,
  NotEmptyError,
  PandoError,
  PermissionDeniedError,
  SessionClosedError,
  SessionLostError,
  TimedOutError,
  UnauthenticatedError,
  UnavailableError,
  WrongClusterError,
} from "./errors.js";
export { Feed } from "./feed.js";
export type { Options, Tls } from "./options.js";
export { type CallOptions, connect, type Data, type ReadOptions, Session } from "./session.js";
export { children, node, subtree, Watch } from "./watch.js";
