import { Backlog } from "./backlog.js";
import { Endpoints } from "./endpoints.js";
import {
  asPandoError,
  closed,
  isFinal,
  lost,
  type PandoError,
  SessionClosedError,
  timedOut,
  UnavailableError,
  unavailable,
} from "./errors.js";
import { Feed } from "./feed.js";
import { RequestHeader, type ResponseHeader } from "./gen/pando/v1/common.js";
import { SessionServiceService } from "./gen/pando/v1/session.js";
import type { WalkEntry, WatchRequest } from "./gen/pando/v1/tree.js";
import type { Lease } from "./lease.js";
import { Link } from "./link.js";
import type { Operation } from "./operation.js";
import type { Settings } from "./options.js";
import { Connection } from "./stream.js";
import { Watch } from "./watch.js";
import { Watches } from "./watches.js";

/**
 * What happens to a session, in this order; SUSPENDED and RECONNECTED in turn.
 *
 * - CONNECTED: it is open; once, and first
 * - SUSPENDED: its server is gone; calls wait. Whoever holds a lock should pause
 * - RECONNECTED: it lives on, on another server or the same
 * - LOST: it is over, with its ephemeral nodes; last
 */
export type SessionEvent = "CONNECTED" | "SUSPENDED" | "RECONNECTED" | "LOST";

// A link that lasted so long was of use.
const LINK_GOOD_MS = 1000;
// Between two tries of a call on a link that is about to be found broken.
const CALL_PAUSE_MS = 20;
const CLOSE_TIMEOUT_MS = 1000;

/**
 * A session's life: found, attached to one server at a time, and lost.
 *
 *     connect ──► CONNECTED ──► SUSPENDED ──► RECONNECTED ──► …
 *                                   └─ the lease ran out, or a server says so ─► LOST
 */
export class Core implements Lease {
  readonly settings: Settings;
  id = 0n;
  timeoutMs: number;
  state: SessionEvent | undefined;

  readonly #backlog = new Backlog();
  readonly #watches: Watches;
  readonly #endpoints: Endpoints;
  readonly #feeds = new Set<Feed<SessionEvent>>();
  readonly #over = new AbortController(); // its reason: of all that comes
  #waiting: (() => void)[] = []; // for a link, or the end
  #lease: NodeJS.Timeout | undefined; // ends the session
  #link: Link | undefined;
  #clusterId: bigint;
  #revision = 0n;
  #token: Buffer | undefined;
  #woken = false;
  #closing = false;

  constructor(settings: Settings) {
    this.settings = settings;
    this.timeoutMs = settings.sessionTimeoutMs;
    this.#clusterId = settings.clusterId;
    this.#endpoints = new Endpoints(settings.endpoints);
    this.#watches = new Watches(
      () => this.#link?.rewatch(),
      () => this.#link?.release(),
    );
  }

  // --- The session's life ---------------------------------------------------------------------

  /** Finds a server and opens the session there; its life goes on by itself. */
  open(): Promise<void> {
    this.#lease = setTimeout(() => this.#unheard(), this.settings.connectTimeoutMs);
    return new Promise((resolve, reject) => {
      this.#live(resolve).catch((thrown) => {
        this.#finish(asPandoError(thrown));
        reject(this.#end);
      });
    });
  }

  /** What happens to it, beginning with how it stands now. */
  events(): Feed<SessionEvent> {
    const feed = new Feed<SessionEvent>();
    feed.put(this.state === undefined ? [] : [this.state]);
    if (this.#end === undefined) {
      this.#feeds.add(feed);
    } else {
      feed.end();
    }
    return feed;
  }

  /** Ends the session on its server, if there is one; else it expires there. */
  async close(): Promise<void> {
    if (this.#closing || this.#end !== undefined) {
      return;
    }
    this.#closing = true;
    const timeout = AbortSignal.timeout(CLOSE_TIMEOUT_MS);
    try {
      await this.#link?.call(SessionServiceService.close, { header: this.header() }, timeout);
    } catch {
      // it expires there
    }
    this.#finish(closed("the session was closed"));
  }

  /** From the search for a server to the end, which it throws. */
  async #live(opened: () => void): Promise<never> {
    for (;;) {
      const link = await this.#connect();
      const since = performance.now();
      this.#backlog.rewind();
      this.#link = link;
      this.#emit(this.state === undefined ? "CONNECTED" : "RECONNECTED");
      opened();
      link.serve();
      this.#tellWaiting();
      const why = await link.ended;
      this.#link = undefined;
      this.#over.signal.throwIfAborted();
      if (performance.now() - since > LINK_GOOD_MS) {
        this.#endpoints.wasGood();
      }
      if (isFinal(why)) {
        throw lost(why.message);
      }
      this.#emit("SUSPENDED");
      await this.#leave(why);
    }
  }

  /** A link to whichever endpoint is of use first. */
  async #connect(): Promise<Link> {
    for (;;) {
      const { settings } = this;
      const connection = new Connection(this.#endpoints.current, settings, () => this.#token);
      const link = new Link(connection, this, this.#watches);
      const give = () => link.fail(this.#end as PandoError);
      this.#over.signal.addEventListener("abort", give);
      link.ended.then(() => this.#over.signal.removeEventListener("abort", give));
      const why = await this.#attach(link);
      if (why === undefined) {
        return link;
      }
      this.#over.signal.throwIfAborted();
      if (isFinal(why)) {
        throw why;
      }
      await this.#leave(why);
    }
  }

  /** undefined: it is attached; else the link has ended, and so. */
  async #attach(link: Link): Promise<PandoError | undefined> {
    const { attemptTimeoutMs } = this.settings;
    const silent = setTimeout(() => {
      link.fail(
        unavailable(`took the connection, and did not answer within ${attemptTimeoutMs} ms`),
      );
    }, attemptTimeoutMs);
    try {
      if (this.id === 0n) {
        await this.#openOn(link);
      }
      const sentAt = performance.now();
      const why = await Promise.race([link.attach(this.#backlog), link.ended]);
      if (why === undefined) {
        this.renew(sentAt, this.timeoutMs);
      }
      return why as PandoError | undefined;
    } catch (thrown) {
      link.fail(asPandoError(thrown));
      return link.ended;
    } finally {
      clearTimeout(silent);
    }
  }

  async #openOn(link: Link): Promise<void> {
    const timeoutMs = BigInt(this.settings.sessionTimeoutMs);
    const request = { header: this.header(), timeoutMs };
    const [opened] = await link.call(SessionServiceService.open, request, this.#over.signal);
    if (opened === undefined) {
      throw unavailable("the server did not open a session");
    }
    this.heard(opened.header);
    this.#token = opened.token;
    this.timeoutMs = Number(opened.timeoutMs);
    this.id = opened.sessionId;
  }

  /** Goes on to the next endpoint; after a round in which none was of use, with a pause. */
  async #leave(why: PandoError): Promise<void> {
    await pause(this.#endpoints.leave(why), this.#over.signal);
  }

  #unheard(): void {
    const why = this.#endpoints.failures;
    this.#finish(
      this.state === undefined
        ? unavailable(`no session within ${this.settings.connectTimeoutMs} ms: ${why}`)
        : lost(`no server confirmed the session within ${this.timeoutMs} ms: ${why}`),
    );
  }

  get #end(): PandoError | undefined {
    return this.#over.signal.aborted ? this.#over.signal.reason : undefined;
  }

  #finish(why: PandoError): void {
    if (this.#end !== undefined) {
      return;
    }
    const end = this.#closing ? closed("the session was closed") : why;
    clearTimeout(this.#lease);
    if (this.state !== undefined && !(end instanceof SessionClosedError)) {
      this.#emit("LOST");
    }
    this.#over.abort(end);
    for (const feed of this.#feeds) {
      feed.end();
    }
    for (const operation of this.#backlog.clear()) {
      operation.abandon(end);
    }
    this.#watches.end(end instanceof SessionClosedError ? undefined : end);
    this.#tellWaiting();
  }

  #emit(event: SessionEvent): void {
    this.state = event;
    for (const feed of this.#feeds) {
      feed.put([event]);
    }
  }

  // --- What its links need --------------------------------------------------------------------

  header(): RequestHeader {
    return RequestHeader.fromPartial({
      clusterId: this.#clusterId,
      sessionId: this.id,
      minRevision: this.#revision,
    });
  }

  heard(header: ResponseHeader | undefined): void {
    this.#clusterId = header?.clusterId || this.#clusterId;
    if (header !== undefined && header.revision > this.#revision) {
      this.#revision = header.revision;
    }
  }

  renew(sentAt: number, timeLeftMs: number): void {
    clearTimeout(this.#lease);
    if (this.#end === undefined) {
      const left = timeLeftMs - (performance.now() - sentAt);
      this.#lease = setTimeout(() => this.#unheard(), left);
    }
  }

  // --- Calls ----------------------------------------------------------------------------------

  submit(operation: Operation): void {
    if (this.#end !== undefined) {
      operation.abandon(this.#end);
      return;
    }
    this.#backlog.add(operation);
    if (!this.#woken) {
      this.#woken = true;
      // Once what is asked in the same breath is there.
      queueMicrotask(() => {
        this.#woken = false;
        this.#link?.wake();
      });
    }
  }

  /** Runs `body` until a server has answered it. For what may be repeated. */
  async call<A>(
    timeoutMs: number,
    body: (link: Link, signal: AbortSignal) => Promise<A>,
  ): Promise<A> {
    let last: PandoError | undefined;
    const given = new AbortController();
    const timer = setTimeout(() => given.abort(timedOut(timeoutMs, last)), timeoutMs);
    try {
      for (;;) {
        const link = await this.#linked(given.signal);
        try {
          return await body(link, given.signal);
        } catch (thrown) {
          given.signal.throwIfAborted();
          const error = asPandoError(thrown);
          if (!error.retriable && !(error instanceof UnavailableError)) {
            throw error;
          }
          last = error;
        }
        await pause(CALL_PAUSE_MS, given.signal);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Begins on a stream of its own, so that what is wrong with it is its alone. */
  watch(request: WatchRequest, timeoutMs: number): Promise<Watch> {
    return this.call(timeoutMs, (link, signal) => this.#beginWatch(link, request, signal));
  }

  #beginWatch(link: Link, request: WatchRequest, signal: AbortSignal): Promise<Watch> {
    return new Promise((resolve, reject) => {
      const initial: WalkEntry[] = [];
      // Without the session: its events precede no reply.
      const header = { ...this.header(), sessionId: 0n };
      const stream = link.watch(
        { ...request, header },
        (response) => {
          this.heard(response.header);
          initial.push(...response.initialNodes);
          if (response.initialDone || !request.sendInitial) {
            stream.cancel();
            // From a start in the past the first message may have events already.
            const started = request.startRevision !== 0n;
            const cursor = started ? request.startRevision - 1n : response.progressRevision;
            const watch = new Watch(this.#watches, request.targets, initial, cursor);
            this.#watches.add(watch);
            resolve(watch);
          }
        },
        reject,
      );
      const giveUp = (why: unknown) => {
        stream.cancel();
        reject(why);
      };
      link.ended.then(giveUp);
      signal.addEventListener("abort", () => giveUp(signal.reason));
    });
  }

  async #linked(signal: AbortSignal): Promise<Link> {
    while (this.#link === undefined) {
      this.#over.signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    }
    return this.#link;
  }

  #tellWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) {
      tell();
    }
  }
}

/** Throws the signal's reason when it comes first. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const aborted = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", aborted);
      resolve();
    }, ms);
    signal.addEventListener("abort", aborted, { once: true });
  });
}
