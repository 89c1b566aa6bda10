import { Feed } from "./feed.js";
import {
  EventKind,
  type WalkEntry,
  type WatchEvent,
  WatchKind,
  type WatchTarget,
} from "./gen/pando/v1/tree.js";

/** A watch that has so many events to be taken lags: it leaves the stream until half are taken. */
export const EVENTS_MAX = 10_000;

/** All changes of one node. */
export function node(path: string): WatchTarget {
  return { path, kind: WatchKind.NODE, withData: true, once: false };
}

/** Direct children that come and go. */
export function children(path: string): WatchTarget {
  return { path, kind: WatchKind.CHILDREN, withData: false, once: false };
}

/** All changes of a node and of all below it. */
export function subtree(path: string): WatchTarget {
  return { path, kind: WatchKind.SUBTREE, withData: true, once: false };
}

/** As the server matches them. */
export function matches(target: WatchTarget, event: WatchEvent): boolean {
  if (target.kind === WatchKind.CHILDREN) {
    const comesOrGoes = event.kind === EventKind.CREATED || event.kind === EventKind.DELETED;
    const parent = event.path.slice(0, Math.max(event.path.lastIndexOf("/"), 1));
    return comesOrGoes && event.path !== "/" && parent === target.path;
  }
  if (event.path === target.path) {
    return true;
  }
  const below = target.path === "/" ? "/" : `${target.path}/`;
  return target.kind === WatchKind.SUBTREE && event.path.startsWith(below);
}

/** What a watch asks of those that share its stream. */
export interface Home {
  remove(watch: Watch): void;
  resume(watch: Watch): void;
}

/**
 * The events of some targets: each once, in order, without a gap, over servers that fail. It ends
 * with CompactedError where changes are no longer kept, and with the session's own end.
 */
export class Watch extends Feed<WatchEvent> {
  readonly targets: readonly WatchTarget[];
  /** With sendInitial: the state that the events come after. */
  readonly initial: readonly WalkEntry[];
  /** The events are those from here on. */
  readonly startRevision: bigint;
  /** @internal All up to here was told. */
  cursor: bigint;
  /** @internal */
  lagging = false;

  readonly #home: Home;

  /** @internal */
  constructor(
    home: Home,
    targets: readonly WatchTarget[],
    initial: readonly WalkEntry[],
    cursor: bigint,
  ) {
    super();
    this.#home = home;
    this.targets = targets;
    this.initial = initial;
    this.startRevision = cursor + 1n;
    this.cursor = cursor;
  }

  /** Ends it. */
  close(): void {
    this.#home.remove(this);
    this.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal It has not been told this one, and it is for it. */
  wants(event: WatchEvent): boolean {
    return event.revision > this.cursor && this.targets.some((target) => matches(target, event));
  }

  /** @internal All up to `revision` was told. */
  passed(revision: bigint): void {
    if (revision > this.cursor) {
      this.cursor = revision;
    }
  }

  protected override taken(): void {
    if (this.lagging && this.length <= EVENTS_MAX / 2) {
      this.#home.resume(this);
    }
  }
}
