import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import { connect, type Feed, type Options, type Session, type SessionEvent } from "../src/index.js";
import { Ensemble } from "./ensemble.js";

/**
 * A test's own: a node, and sessions that are closed at its end. The ensemble is one for all tests
 * of a file, and whole again before each.
 */
export class World {
  ensemble!: Ensemble;
  root = "";
  #sessions: Session[] = [];

  constructor() {
    before(async () => {
      this.ensemble = await Ensemble.start();
    });
    beforeEach(async () => {
      await this.ensemble.heal();
      const session = await this.connect();
      this.root = (await session.create("/test-", null, { sequential: true })).path;
    });
    afterEach(async () => {
      await Promise.all(this.#sessions.map((session) => session.close()));
      this.#sessions = [];
    });
    after(() => this.ensemble.close());
  }

  /** To the ensemble, unless it is said where. */
  async connect(endpoints?: string | string[], options: Options = {}): Promise<Session> {
    const session = await connect(endpoints ?? this.ensemble.endpoints, options);
    this.#sessions.push(session);
    return session;
  }

  async names(session: Session): Promise<string[]> {
    const entries = await session.children(this.root, { linearizable: true });
    return entries.map((entry) => entry.name);
  }
}

export async function until(
  event: SessionEvent,
  events: Feed<SessionEvent>,
  timeoutMs: number,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (let next: SessionEvent | undefined; next !== event; ) {
    next = await events.take(Math.max(end - performance.now(), 0));
    assert.notEqual(next, undefined, `no ${event} within ${timeoutMs} ms`);
  }
}

export async function takes<T>(
  leastMs: number,
  mostMs: number,
  body: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const result = await body();
  const took = performance.now() - began;
  // Timers are of whole milliseconds.
  assert.ok(leastMs - 1 <= took && took <= mostMs, `took ${took} ms`);
  return result;
}

/** What a promise fails with; of this class. */
export async function failure<E extends Error>(
  kind: abstract new (...parts: never[]) => E,
  promise: Promise<unknown>,
): Promise<E> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof kind, `${error}`);
    return error;
  }
  throw new assert.AssertionError({ message: `no ${kind.name}` });
}
