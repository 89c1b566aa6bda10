import type { Backlog } from "./backlog.js";
import { Beat } from "./beat.js";
import { CompactedError, type PandoError, unavailable } from "./errors.js";
import type { ResponseHeader } from "./gen/pando/v1/common.js";
import { TreeServiceService, type WatchRequest, type WatchResponse } from "./gen/pando/v1/tree.js";
import type { Lease } from "./lease.js";
import { Pipeline } from "./pipeline.js";
import { Queue } from "./queue.js";
import { type Connection, type Method, Stream } from "./stream.js";
import type { Watches } from "./watches.js";

interface Held {
  header: ResponseHeader | undefined;
  told: () => void;
  lost: (why: PandoError) => void;
}

/**
 * The one server that a session is attached to: a Pipeline, a KeepAlive, a Watch stream. It lasts
 * until the first of them fails; whoever made it then makes another, on the next server.
 */
export class Link {
  /** Why, once it has. */
  readonly ended: Promise<PandoError>;

  readonly #connection: Connection;
  readonly #lease: Lease;
  readonly #watches: Watches;
  readonly #held = new Queue<Held>();
  readonly #calls = new Set<{ cancel(why: PandoError): void }>();
  #end: ((why: PandoError) => void) | undefined;
  #pipeline: Pipeline | undefined;
  #beat: Beat | undefined;
  #watch: Stream<WatchRequest, WatchResponse> | undefined;

  constructor(connection: Connection, lease: Lease, watches: Watches) {
    this.#connection = connection;
    this.#lease = lease;
    this.#watches = watches;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Moves the session here. */
  attach(backlog: Backlog): Promise<void> {
    this.#pipeline = new Pipeline(this.#connection, this, this.#lease, backlog);
    return this.#pipeline.attached;
  }

  serve(): void {
    this.#beat = new Beat(this.#connection, this.#lease, (why) => this.fail(why));
    this.rewatch();
    this.#pipeline?.serve();
  }

  /** Something waits in the backlog. */
  wake(): void {
    this.#pipeline?.send();
  }

  /** Opens the stream that fits what is watched, instead of the one at hand. */
  rewatch(): void {
    this.#watch?.cancel();
    this.#watch = undefined;
    const request = this.#end && this.#watches.request(this.#lease.header());
    if (request !== undefined) {
      this.#watch = this.watch(
        request,
        (response) => this.#watches.take(response),
        (error) => this.#watchFailed(error),
      );
    }
  }

  /** A Watch stream of its own. */
  watch(
    request: WatchRequest,
    message: (response: WatchResponse) => void,
    ended: (error: PandoError) => void,
  ): Stream<WatchRequest, WatchResponse> {
    this.#mustLast();
    const stream = new Stream(this.#connection, TreeServiceService.watch, message, (error) =>
      ended(error ?? unavailable("the server is going away")),
    );
    stream.send(request);
    stream.finish();
    return stream;
  }

  /** Ends it, and says why. */
  fail(why: PandoError): void {
    const end = this.#end;
    if (end === undefined) {
      return;
    }
    this.#end = undefined;
    this.#pipeline?.cancel();
    this.#beat?.cancel();
    this.#watch?.cancel();
    this.#watches.disconnected();
    for (const held of this.#held.clear()) {
      held.lost(why);
    }
    for (const call of this.#calls) {
      call.cancel(why);
    }
    this.#connection.close();
    end(why);
  }

  /** All messages of a call, each held back until what precedes it was told. */
  call<Q, A extends { header?: ResponseHeader | undefined }>(
    method: Method<Q, A>,
    request: Q,
    signal: AbortSignal,
  ): Promise<A[]> {
    return new Promise((resolve, reject) => {
      this.#mustLast();
      signal.throwIfAborted();
      const answers: A[] = [];
      const stream = new Stream<Q, A>(
        this.#connection,
        method,
        (answer) => this.hold(answer.header, () => answers.push(answer), cancel),
        (error) => {
          if (error !== undefined) {
            cancel(error);
          } else {
            // Behind its messages.
            this.hold(undefined, () => finish(() => resolve(answers)), cancel);
          }
        },
      );
      const entry = { cancel };
      const aborted = () => cancel(signal.reason);
      this.#calls.add(entry);
      signal.addEventListener("abort", aborted);
      stream.send(request);
      stream.finish();

      const finish = (settle: () => void) => {
        this.#calls.delete(entry);
        signal.removeEventListener("abort", aborted);
        settle();
      };
      function cancel(why: PandoError): void {
        stream.cancel();
        finish(() => reject(why));
      }
    });
  }

  /** Runs `told` once all was told that precedes a reply; or `lost`, if the link ends first. */
  hold(
    header: ResponseHeader | undefined,
    told: () => void,
    lost: (why: PandoError) => void,
  ): void {
    this.#held.push({ header, told, lost });
    this.release();
  }

  /** The watches have moved. */
  release(): void {
    for (let next = this.#held.first; next !== undefined; next = this.#held.first) {
      if (next.header !== undefined && !this.#watches.told(next.header)) {
        return;
      }
      this.#held.shift();
      next.told();
    }
  }

  #mustLast(): void {
    if (this.#end === undefined) {
      throw unavailable("the connection was given up");
    }
  }

  #watchFailed(error: PandoError): void {
    if (error instanceof CompactedError) {
      this.#watches.compacted(error);
    } else {
      this.fail(error);
    }
  }
}
