/** What a server would hardly do on demand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Backlog, MESSAGE_BYTES_MAX, MESSAGES_MAX, UNANSWERED_MAX } from "../src/backlog.js";
import { timedOut, unavailable } from "../src/errors.js";
import { Operation } from "../src/operation.js";
import { GetRequest, SetRequest } from "../src/v1.js";

function added(backlog: Backlog, operation: Operation): Operation {
  operation.answer.catch(() => {}); // nobody waits for it
  backlog.add(operation);
  return operation;
}

function write(backlog: Backlog, bytes = 0): Operation {
  const value = SetRequest.fromPartial({ data: Buffer.alloc(bytes) });
  return added(backlog, new Operation({ $case: "set", value }, false, 1, () => timedOut(1)));
}

function read(backlog: Backlog, linearizable: boolean): Operation {
  const value = GetRequest.fromPartial({});
  return added(backlog, new Operation({ $case: "get", value }, linearizable, 1, () => timedOut(1)));
}

function writes(backlog: Backlog, count: number): void {
  for (let i = 0; i < count; i++) {
    write(backlog);
  }
}

function take(backlog: Backlog): number[] {
  return backlog.take().map((operation) => Number(operation.requestId));
}

test("what is unanswered goes again first and in order", () => {
  const backlog = new Backlog();
  writes(backlog, 3);
  assert.deepEqual(take(backlog), [1, 2, 3]);
  write(backlog);
  backlog.answered(1n).fail(unavailable("done"));
  backlog.keep(backlog.answered(2n));
  backlog.rewind();
  assert.equal(backlog.firstOutstanding, 2n);
  assert.deepEqual(take(backlog), [2, 3, 4]);
});

test("what was given up does not go again", () => {
  const backlog = new Backlog();
  const first = write(backlog);
  write(backlog);
  take(backlog);
  first.abandon(timedOut(1));
  backlog.rewind();
  assert.deepEqual(take(backlog), [2]);
  assert.equal(backlog.firstOutstanding, 2n);
});

test("an answer out of order is found", () => {
  const backlog = new Backlog();
  writes(backlog, 2);
  take(backlog);
  assert.throws(() => backlog.answered(2n), /answer 2 came where 1 was due/);
});

test("messages are of one consistency and bounded", () => {
  const backlog = new Backlog();
  write(backlog, MESSAGE_BYTES_MAX);
  write(backlog, MESSAGE_BYTES_MAX);
  read(backlog, true);
  read(backlog, false);
  for (const id of [1, 2, 3, 4]) {
    assert.deepEqual(take(backlog), [id]);
  }
});

test("few messages and a thousand operations are unanswered", () => {
  const backlog = new Backlog();
  for (let message = 0; message < MESSAGES_MAX; message++) {
    writes(backlog, 2);
    assert.equal(take(backlog).length, 2);
  }
  writes(backlog, UNANSWERED_MAX);
  assert.deepEqual(take(backlog), []);
  backlog.answered(1n);
  assert.deepEqual(take(backlog), []);
  backlog.answered(2n);
  assert.equal(take(backlog).length, UNANSWERED_MAX - 2 * (MESSAGES_MAX - 1));
  assert.deepEqual(take(backlog), []);
});
