import type { Operation } from "./operation.js";
import { Queue } from "./queue.js";

/** A session keeps 1,024 answers for repeats, so that no more are under way. */
export const UNANSWERED_MAX = 1000;
/** A Pipeline's message has at most 4 MiB; one operation of any size always fits. */
export const MESSAGE_BYTES_MAX = 1 << 20;
/**
 * With so many messages unanswered, what comes gathers for the next one: so it batches. gRPC itself
 * takes any number of messages at once.
 */
export const MESSAGES_MAX = 4;

/**
 * What a session has been asked and has not answered, in the order of its request ids.
 *
 *     add ──► waiting ──take──► unanswered ──answered──► done
 *                ▲                  │
 *                └──────rewind──────┘  the Pipeline broke: all of it goes again, in order, first
 */
export class Backlog {
  readonly #waiting = new Queue<Operation>();
  readonly #unanswered = new Queue<Operation>();
  /** The last request id of each message that is not answered whole. */
  readonly #messageEnds = new Queue<bigint>();
  /** What goes again with the next rewind. */
  #kept: Operation[] = [];
  #lastRequestId = 0n;

  add(operation: Operation): void {
    operation.number(++this.#lastRequestId);
    this.#waiting.push(operation);
  }

  /**
   * The operations of the next message, all of one consistency, because a message has one. None, if
   * nothing waits or too much is unanswered.
   */
  take(): Operation[] {
    const taken: Operation[] = [];
    let bytes = 0;
    while (this.#unanswered.length < UNANSWERED_MAX && this.#messageEnds.length < MESSAGES_MAX) {
      const operation = this.#waiting.first;
      if (operation === undefined) {
        break;
      }
      // One that is done: its caller has given it up.
      if (!operation.done) {
        bytes += operation.encoded.length;
        const first = taken[0] ?? operation;
        const fits = bytes <= MESSAGE_BYTES_MAX && operation.linearizable === first.linearizable;
        if (operation !== first && !fits) {
          break;
        }
        operation.sent = true;
        this.#unanswered.push(operation);
        taken.push(operation);
      }
      this.#waiting.shift();
    }
    const last = taken.at(-1);
    if (last !== undefined) {
      this.#messageEnds.push(last.requestId);
    }
    return taken;
  }

  /** No answer to a lower request id is waited for. */
  get firstOutstanding(): bigint {
    const first = this.#unanswered.first ?? this.#waiting.first;
    return first?.requestId ?? this.#lastRequestId + 1n;
  }

  /** The operation that an answer is for: they come in order. */
  answered(requestId: bigint): Operation {
    const operation = this.#unanswered.shift();
    if (operation?.requestId !== requestId) {
      throw new Error(`answer ${requestId} came where ${operation?.requestId} was due`);
    }
    if (this.#messageEnds.first === requestId) {
      this.#messageEnds.shift();
    }
    return operation;
  }

  /** Its answer was none: it goes again with the next rewind. */
  keep(operation: Operation): void {
    this.#kept.push(operation);
  }

  /** What was sent and not answered goes again, before what was not sent. */
  rewind(): void {
    for (const operation of this.clear()) {
      this.#waiting.push(operation);
    }
  }

  /** Takes all that somebody waits for, in order. */
  clear(): Operation[] {
    const all = [...this.#kept, ...this.#unanswered.clear(), ...this.#waiting.clear()];
    this.#kept = [];
    this.#messageEnds.clear();
    return all
      .filter((operation) => !operation.done)
      .sort((a, b) => Number(a.requestId - b.requestId));
  }
}
