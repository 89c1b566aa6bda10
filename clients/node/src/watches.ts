import { type CompactedError, invalid } from "./errors.js";
import type { RequestHeader, ResponseHeader } from "./gen/pando/v1/common.js";
import type { WatchEvent, WatchRequest, WatchResponse } from "./gen/pando/v1/tree.js";
import { EVENTS_MAX, type Home, type Watch } from "./watch.js";

export const TARGETS_MAX = 10_000;

const NEVER = 1n << 63n;

/**
 * What a session watches, all of it on one stream.
 *
 * One stream, because only so it is known which events precede a reply: streamRevision says how far
 * the session's streams must have come, and a stream without an event there would say so only with
 * its next progress mark. Each watch has a cursor of its own; the stream goes on from the lowest,
 * and every watch takes what is above its own.
 */
export class Watches implements Home {
  readonly #changed: () => void;
  readonly #moved: () => void;
  #all: Watch[] = [];
  #partial: WatchEvent[] = [];
  #openedAt = NEVER;

  /**
   * `changed`: the stream at hand no longer fits what is watched; `moved`: replies may be due that
   * were held back.
   */
  constructor(changed: () => void, moved: () => void) {
    this.#changed = changed;
    this.#moved = moved;
  }

  add(watch: Watch): void {
    const targets = this.#all.reduce((sum, other) => sum + other.targets.length, 0);
    if (targets + watch.targets.length > TARGETS_MAX) {
      throw invalid(`a session watches at most ${TARGETS_MAX} targets`, "TOO_LARGE");
    }
    this.#all.push(watch);
    this.#change();
  }

  remove(watch: Watch): void {
    const left = this.#all.filter((other) => other !== watch);
    if (left.length < this.#all.length) {
      this.#all = left;
      this.#change();
    }
  }

  resume(watch: Watch): void {
    watch.lagging = false;
    this.#change();
  }

  /** Opens the stream; undefined: nothing is watched. */
  request(header: RequestHeader): WatchRequest | undefined {
    this.disconnected();
    const live = this.#live();
    if (live.length === 0) {
      return undefined;
    }
    return {
      header,
      targets: live.flatMap((watch) => watch.targets),
      startRevision: this.#cursor() + 1n,
      sendInitial: false,
    };
  }

  disconnected(): void {
    this.#openedAt = NEVER;
    this.#partial = [];
  }

  /** A message of the stream: its events to those who watch for them. */
  take(response: WatchResponse): void {
    if (this.#openedAt === NEVER) {
      this.#openedAt = response.header?.revision ?? 0n;
    }
    this.#partial.push(...response.events);
    if (response.partial) {
      return; // a stream that is resumed begins the revision again
    }
    const events = this.#partial;
    this.#partial = [];
    let lags = false;
    for (const watch of this.#live()) {
      watch.put(events.filter((event) => watch.wants(event)));
      watch.passed(response.progressRevision);
      watch.lagging = watch.length > EVENTS_MAX;
      lags ||= watch.lagging;
    }
    if (lags) {
      this.#change();
    } else {
      this.#moved();
    }
  }

  /** Changes from below its oldest revision are gone: so are the watches that need them. */
  compacted(error: CompactedError): void {
    const live = this.#live();
    const old = live.filter((watch) => watch.cursor + 1n < error.oldestRevision);
    const gone = old.length > 0 ? old : live;
    this.#all = this.#all.filter((watch) => !gone.includes(watch));
    for (const watch of gone) {
      watch.end(error);
    }
    this.#change();
  }

  /** All was told that comes before a reply with this header. */
  told(header: ResponseHeader): boolean {
    // A reply as old as the stream may come from when the server did not know the stream yet.
    const due = header.revision <= this.#openedAt ? header.revision : header.streamRevision;
    return due <= this.#cursor();
  }

  /** Of all of them; undefined: they end well. */
  end(error?: Error): void {
    for (const watch of this.#all) {
      watch.end(error);
    }
    this.#all = [];
  }

  #live(): Watch[] {
    return this.#all.filter((watch) => !watch.lagging);
  }

  #cursor(): bigint {
    let lowest = NEVER;
    for (const watch of this.#live()) {
      if (watch.cursor < lowest) {
        lowest = watch.cursor;
      }
    }
    return lowest;
  }

  #change(): void {
    this.#changed();
    this.#moved();
  }
}
