/** What a server would hardly do on demand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { CompactedError, InvalidError } from "../src/errors.js";
import {
  EventKind,
  RequestHeader,
  ResponseHeader,
  WatchEvent,
  WatchResponse,
  type WatchTarget,
} from "../src/v1.js";
import { children, matches, node, subtree, Watch } from "../src/watch.js";
import { TARGETS_MAX, Watches } from "../src/watches.js";

function event(path: string, kind: EventKind, revision = 1n): WatchEvent {
  return WatchEvent.fromPartial({ path, kind, revision });
}

function message(progressRevision: bigint, events: WatchEvent[] = [], partial = false) {
  return WatchResponse.fromPartial({
    header: { revision: 10n },
    events,
    partial,
    progressRevision,
  });
}

function watched(watches: Watches, target: WatchTarget, cursor: bigint): Watch {
  const watch = new Watch(watches, [target], [], cursor);
  watches.add(watch);
  return watch;
}

function start(watches: Watches): bigint | undefined {
  return watches.request(RequestHeader.fromPartial({}))?.startRevision;
}

function fresh(): Watches {
  return new Watches(
    () => {},
    () => {},
  );
}

test("matches as the server does", () => {
  const { CREATED, DATA_CHANGED } = EventKind;
  const cases: [WatchTarget, string, EventKind, boolean][] = [
    [node("/a"), "/a", DATA_CHANGED, true],
    [node("/a"), "/a/b", DATA_CHANGED, false],
    [children("/a"), "/a/b", CREATED, true],
    [children("/a"), "/a/b", DATA_CHANGED, false],
    [children("/a"), "/a/b/c", CREATED, false],
    [children("/"), "/a", CREATED, true],
    [children("/"), "/", CREATED, false],
    [subtree("/a"), "/a/b/c", DATA_CHANGED, true],
    [subtree("/a"), "/ab", DATA_CHANGED, false],
    [subtree("/"), "/", DATA_CHANGED, true],
    [subtree("/"), "/a", DATA_CHANGED, true],
  ];
  for (const [target, path, kind, expected] of cases) {
    assert.equal(matches(target, event(path, kind)), expected, `${target.path} ${path}`);
  }
});

test("a revision in parts is told once", async () => {
  const watches = fresh();
  const watch = watched(watches, subtree("/"), 4n);
  start(watches);
  const part = event("/a", EventKind.CREATED, 5n);
  watches.take(message(4n, [part], true));
  assert.equal(start(watches), 5n); // the stream broke between the parts
  watches.take(message(4n, [part], true));
  watches.take(message(5n, [event("/b", EventKind.CREATED, 5n)]));
  assert.equal(watch.length, 2);
  assert.equal((await watch.take())?.path, "/a");
  assert.equal((await watch.take())?.path, "/b");
});

test("only watches that need what is gone end", async () => {
  const watches = fresh();
  const old = watched(watches, node("/a"), 4n);
  const current = watched(watches, node("/a"), 9n);
  const metadata = { oldest_revision: "8" };
  watches.compacted(new CompactedError("gone", "COMPACTED", status.OUT_OF_RANGE, metadata));
  await assert.rejects(old.take(), (error) => {
    assert.ok(error instanceof CompactedError);
    return error.oldestRevision === 8n;
  });
  assert.equal(start(watches), 10n);
  assert.equal(await current.take(0), undefined);
});

test("a reply waits for what precedes it", () => {
  const watches = fresh();
  watched(watches, node("/a"), 4n);
  start(watches);
  watches.take(message(5n));
  const reply = (revision: bigint, streamRevision: bigint) =>
    watches.told(ResponseHeader.fromPartial({ revision, streamRevision }));
  assert.equal(reply(20n, 5n), true);
  assert.equal(reply(20n, 6n), false);
  assert.equal(reply(10n, 0n), false); // as old as the stream: the server may not have known it
  watches.take(message(10n));
  assert.equal(reply(10n, 0n), true);
});

test("a session has so many targets", () => {
  const watches = fresh();
  watches.add(new Watch(watches, new Array(TARGETS_MAX).fill(node("/a")), [], 0n));
  assert.throws(() => watched(watches, node("/b"), 0n), InvalidError);
});
