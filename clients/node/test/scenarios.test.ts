/** The scenarios that every language's client passes: clients/conformance/scenarios.json. */

import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  BadVersionError,
  children,
  connect,
  InvalidError,
  NodeExistsError,
  NoNodeError,
  node,
  PermissionDeniedError,
  SessionClosedError,
  type SessionEvent,
  SessionLostError,
  subtree,
  TimedOutError,
  UnauthenticatedError,
  UnavailableError,
} from "../src/index.js";
import { EventKind, NodeKind, SessionServiceService } from "../src/v1.js";
import { failure, takes, until, World } from "./world.js";

const world = new World();
const ephemeral = { kind: NodeKind.EPHEMERAL };

test("connect", async () => {
  const session = await world.connect();
  assert.equal(await session.events().take(0), "CONNECTED");
  const { path } = await session.create(`${world.root}/mine`, "1", ephemeral);
  const other = await world.connect();
  const got = await other.get(path, { linearizable: true });
  assert.equal(got.data?.toString(), "1");
  assert.equal(got.stat?.ephemeralOwner, session.id);
  assert.ok((got.header?.serverId ?? 0n) > 0n);
  await session.close();
  assert.equal(await other.exists(path, { linearizable: true }), false);
  await failure(SessionClosedError, session.get("/"));
});

test("typed_errors", async () => {
  const session = await world.connect();
  const noNode = await failure(NoNodeError, session.get(`${world.root}/nothing`));
  assert.equal(noNode.reason, "NO_NODE");
  assert.equal(noNode.path, `${world.root}/nothing`);
  assert.equal(noNode.maybeApplied, false);
  await failure(NodeExistsError, session.create(world.root));
  const set = session.set(world.root, "", { expectedVersion: 7n });
  assert.equal((await failure(BadVersionError, set)).metadata.actual_version, "0");
  assert.equal((await failure(InvalidError, session.create("no-slash"))).reason, "INVALID_PATH");
  const watch = session.watch(node("no-slash"));
  assert.equal((await failure(InvalidError, watch)).reason, "INVALID_PATH");
});

test("no_endpoint_up", async () => {
  const nobody = [await world.ensemble.other("nobody"), await world.ensemble.other("nobody")];
  const busy = process.cpuUsage();
  const unavailable = await takes(2000, 2500, () =>
    failure(UnavailableError, world.connect(nobody, { connectTimeoutMs: 2000 })),
  );
  assert.ok(process.cpuUsage(busy).user < 500_000, "it spins");
  for (const endpoint of nobody) {
    assert.match(unavailable.message, new RegExp(endpoint));
  }
});

/** Sockets and timers of this process. */
function footprint(): { sockets: number; timers: number } {
  const sockets = readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith("socket:");
    } catch {
      return false; // that of this listing
    }
  });
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout");
  return { sockets: sockets.length, timers: timers.length };
}

test("leaves_nothing", async () => {
  const nobody = await world.ensemble.other("nobody");
  const silent = await world.ensemble.other("silent");
  const before = footprint();
  for (let i = 0; i < 10; i++) {
    const session = await connect([nobody, world.ensemble.endpoint(1)]);
    await session.watch(node(world.root));
    await session.close();
  }
  await failure(UnavailableError, connect(silent, { connectTimeoutMs: 300 }));
  const deadline = performance.now() + 5000;
  for (let now = footprint(); ; now = footprint()) {
    if (now.sockets <= before.sockets && now.timers <= before.timers) {
      return;
    }
    assert.ok(performance.now() < deadline, `${JSON.stringify([before, now])}`);
    await setTimeout(10);
  }
});

test("wrong_endpoint", async () => {
  const http = await world.ensemble.other("http");
  const unavailable = await takes(1000, 1500, () =>
    failure(UnavailableError, world.connect(http, { connectTimeoutMs: 1000 })),
  );
  assert.match(unavailable.message, new RegExp(`no session within 1000 ms: ${http}: .`));
  await failure(RangeError, world.connect(["127.0.0.1:1", ""]));
});

test("one_of_three_wrong", async () => {
  for (const kind of ["nobody", "http"] as const) {
    const endpoints = [await world.ensemble.other(kind), ...world.ensemble.rest(1)];
    const session = await takes(0, 1500, () => world.connect(endpoints));
    assert.ok(await session.exists("/"));
  }
});

test("silent_server", async () => {
  const silent = await world.ensemble.other("silent");
  const impatient = { attemptTimeoutMs: 500, connectTimeoutMs: 2000 };
  const session = await takes(500, 1500, () =>
    world.connect([silent, world.ensemble.endpoint(1)], impatient),
  );
  assert.ok(await session.exists("/"));
  const unavailable = await takes(2000, 2500, () =>
    failure(UnavailableError, world.connect(silent, impatient)),
  );
  assert.match(unavailable.message, /did not answer/);
  // It is named also before it was silent for too long.
  const early = await failure(UnavailableError, world.connect(silent, { connectTimeoutMs: 300 }));
  assert.ok(early.message.includes(silent), early.message);
});

test("another_cluster", async () => {
  const stranger = await world.ensemble.other("stranger");
  const front = await world.ensemble.front(1);
  const session = await world.connect([front, stranger, world.ensemble.endpoint(2)]);
  const events = session.events();
  await world.ensemble.fault("cut", front);
  await until("RECONNECTED", events, 5000);
  assert.ok(await session.exists(world.root, { linearizable: true }));
  const clusterId = (await session.get("/")).header?.clusterId ?? 0n;
  const wrong = world.connect(stranger, { clusterId, connectTimeoutMs: 1000 });
  assert.match((await failure(UnavailableError, wrong)).message, /WRONG_CLUSTER/);
});

async function failoverMs(name: string): Promise<number> {
  const follower = await world.ensemble.follower();
  const session = await world.connect(world.ensemble.first(follower));
  const { path } = await session.create(`${world.root}/${name}`, null, ephemeral);
  const stamps = new Map<SessionEvent, number>();
  const events = session.events();
  const stamping = (async () => {
    for await (const event of events) {
      stamps.set(event, performance.now());
    }
  })();
  await world.ensemble.kill(follower);
  const { stat } = await session.set(path, "again", { timeoutMs: 5000 });
  assert.equal(stat?.version, 1n);
  assert.equal(stat?.ephemeralOwner, session.id);
  await session.close();
  await stamping;
  return (stamps.get("RECONNECTED") as number) - (stamps.get("SUSPENDED") as number);
}

// The best of three counts: other work on the machine slows each.
test("failover", async (t) => {
  let back = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3 && back >= 200; round++) {
    await world.ensemble.heal();
    back = Math.min(back, await failoverMs(`mine-${round}`));
  }
  t.diagnostic(`back after ${back.toFixed(0)} ms`);
  assert.ok(0 <= back && back < 200, `back after ${back} ms`);
});

test("failover_in_the_middle_of_a_write", async () => {
  for (const server of [await world.ensemble.follower(), await world.ensemble.leader()]) {
    await world.ensemble.heal();
    const front = await world.ensemble.front(server);
    const session = await world.connect([front, ...world.ensemble.rest(server)]);
    const other = await world.connect(world.ensemble.rest(server));
    const { path } = await session.create(`${world.root}/node-${server}`);
    await world.ensemble.fault("mute", front);
    const writes = Array.from({ length: 20 }, () => session.set(path, "x"));
    // Until the server has the first of them.
    while ((await other.get(path, { linearizable: true })).stat?.version === 0n);
    await world.ensemble.kill(server);
    const versions = (await Promise.all(writes)).map((write) => Number(write.stat?.version));
    assert.deepEqual(
      versions,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    assert.equal((await session.get(path)).stat?.version, 20n);
  }
});

test("exactly_once_under_dropped_replies", async () => {
  const front = await world.ensemble.front(1);
  const session = await world.connect(front);
  const other = await world.connect();
  for (let count = 1; count <= 10; count++) {
    await world.ensemble.fault("mute", front);
    let answered = false;
    const create = session.create(`${world.root}/n-`, null, { sequential: true });
    create.finally(() => {
      answered = true;
    });
    while ((await world.names(other)).length < count); // until it is applied; its reply is lost
    assert.equal(answered, false);
    await world.ensemble.fault("cut", front);
    const { path } = await create;
    const names = await world.names(other);
    assert.equal(path, `${world.root}/${names[count - 1]}`);
    assert.equal(names.length, count);
  }
});

test("maybe_applied", async () => {
  const front = await world.ensemble.front(1);
  const session = await world.connect(front);
  const path = `${world.root}/sent`;
  await world.ensemble.fault("mute", front);
  const sent = await takes(500, 1000, () =>
    failure(TimedOutError, session.create(path, null, { timeoutMs: 500 })),
  );
  assert.equal(sent.maybeApplied, true);
  const read = await failure(TimedOutError, session.get(path, { timeoutMs: 200 }));
  assert.equal(read.maybeApplied, false);
  const events = session.events();
  await world.ensemble.fault("cut", front);
  await until("RECONNECTED", events, 5000);
  assert.ok(await session.exists(path, { linearizable: true }));
});

test("watch_over_a_leader_change", async () => {
  const leader = await world.ensemble.leader();
  const watcher = await world.connect(world.ensemble.first(leader));
  const writer = await world.connect(world.ensemble.first(leader));
  const watch = await watcher.watch(subtree(world.root));
  const paths = Array.from({ length: 100 }, (_, i) => `${world.root}/${`${i}`.padStart(3, "0")}`);
  for (const [i, path] of paths.entries()) {
    if (i === 50) {
      await world.ensemble.kill(leader);
    }
    await writer.create(path);
  }
  let revision = 0n;
  for (const path of paths) {
    const event = await watch.take(10_000);
    assert.equal(event?.path, path);
    assert.ok(event.revision > revision);
    revision = event.revision;
  }
  assert.equal(await watch.take(100), undefined);
});

test("watch_from_a_revision", async () => {
  const session = await world.connect();
  const revisions: bigint[] = [];
  for (const data of ["0", "1", "2"]) {
    revisions.push((await session.set(world.root, data)).header?.revision as bigint);
  }
  const past = await session.watch(node(world.root), { startRevision: revisions[1] as bigint });
  const state = await session.watch(node(world.root), { sendInitial: true });
  assert.deepEqual(
    state.initial.map((entry) => entry.data?.toString()),
    ["2"],
  );
  await session.set(world.root, "3");
  for (const data of ["1", "2", "3"]) {
    assert.equal((await past.take(5000))?.data?.toString(), data);
  }
  assert.equal((await state.take(5000))?.data?.toString(), "3");
});

test("event_before_data", async () => {
  const writer = await world.connect();
  const reader = await world.connect();
  const { path } = await writer.create(`${world.root}/busy`);
  const idle = await reader.watch([node(world.root), children("/")]);
  const watch = await reader.watch(node(path));
  const below = await reader.watch(children(world.root));
  let stop = false;
  const writing = (async () => {
    while (!stop) {
      await writer.set(path, "x");
    }
  })();
  let told = 0n;
  for (let i = 0; i < 1000; i++) {
    const version = (await reader.get(path)).stat?.version as bigint;
    while (watch.length > 0) {
      told = (await watch.take(0))?.stat?.version as bigint;
    }
    assert.ok(told >= version, "the data came before its event");
  }
  stop = true;
  await writing;
  assert.ok(told > 0n);
  assert.equal(idle.length + below.length, 0);
});

// A watch that nobody reads costs no more than its bound, and holds nothing back.
test("watch_is_held_by_no_reader", async () => {
  const count = 25_000;
  const session = await world.connect();
  const watch = await session.watch(node(world.root));
  const writes = Array.from({ length: count }, () =>
    session.set(world.root, null, { timeoutMs: 60_000 }),
  );
  assert.equal((await Promise.all(writes)).at(-1)?.stat?.version, BigInt(count));
  assert.ok(watch.length <= 12_000, `it holds ${watch.length}`);
  for (let version = 1n; version <= count; version++) {
    assert.equal((await watch.take(10_000))?.stat?.version, version);
  }
});

// Who is cut off knows before anybody else can have what it held.
test("session_lost", async () => {
  const front = await world.ensemble.front(1);
  const session = await world.connect(front, { sessionTimeoutMs: 2000 });
  const other = await world.connect();
  const { path } = await session.create(`${world.root}/held`, null, ephemeral);
  const events = session.events();
  const gone = await other.watch(node(path));
  const watch = await session.watch(node(path));
  await world.ensemble.fault("silence", front);
  await until("LOST", events, 2500);
  assert.ok(await other.exists(path, { linearizable: true }), "it was told too late");
  assert.equal(await events.take(1000), undefined);
  await takes(0, 100, () => failure(SessionLostError, session.get(world.root)));
  await failure(SessionLostError, watch.take());
  assert.equal((await gone.take(10_000))?.kind, EventKind.DELETED);
});

// The servers say that it is over.
test("session_expired", async () => {
  const session = await world.connect(undefined, { sessionTimeoutMs: 2000 });
  const events = session.events();
  await session.call(SessionServiceService.close, {});
  await until("LOST", events, 2000);
  await failure(SessionLostError, session.get("/"));
});

test("server_falls_silent", async () => {
  const front = await world.ensemble.front(1);
  const session = await world.connect([front, world.ensemble.endpoint(2)], {
    sessionTimeoutMs: 3000,
  });
  const events = session.events();
  await world.ensemble.fault("silence", front);
  const { stat } = await takes(0, 3000, () => session.set(world.root, "x", { timeoutMs: 5000 }));
  assert.equal(stat?.version, 1n);
  await until("RECONNECTED", events, 1000);
});

// Without a majority a write waits for its timeout, and the session goes on when it is back.
test("no_leader", async () => {
  const session = await world.connect(world.ensemble.first(1), { sessionTimeoutMs: 30_000 });
  await world.ensemble.kill(2);
  await world.ensemble.kill(3);
  await takes(2000, 2500, () =>
    failure(TimedOutError, session.set(world.root, "x", { timeoutMs: 2000 })),
  );
  await world.ensemble.heal();
  await session.set(world.root, "y");
  assert.equal((await session.get(world.root)).data?.toString(), "y");
});

test("acl_denied", async () => {
  const ann = await world.connect(undefined, { identities: ["digest:ann:secret"] });
  const anybody = await world.connect();
  const path = `${world.root}/hers`;
  const acl = [{ identity: { scheme: "auth", id: "" }, permissions: 0b11111 }];
  await ann.create(path, "x", { acl });
  const hers = await ann.watch(node(path));
  const others = await anybody.watch(node(path));
  const denied = await failure(PermissionDeniedError, anybody.set(path, "y"));
  assert.equal(denied.path, path);
  assert.equal(denied.maybeApplied, false);
  await failure(PermissionDeniedError, anybody.get(path));
  await ann.set(path, "y");
  assert.equal((await hers.take(5000))?.data?.toString(), "y");
  await anybody.get(world.root, { linearizable: true }); // what precedes this was told: nothing
  assert.equal(others.length, 0);
  await takes(0, 2000, () =>
    failure(UnauthenticatedError, world.connect(undefined, { identities: ["nonsense"] })),
  );
});

test("tls", async () => {
  const server = await world.ensemble.tls("server");
  const impatient = { connectTimeoutMs: 2000 };
  const session = await world.connect(server.endpoint, { tls: server });
  assert.ok(await session.exists("/"));
  const refused = async (endpoint: string, tls: object | undefined, why: RegExp) => {
    const connecting = () => world.connect(endpoint, { ...impatient, ...(tls && { tls }) });
    const error = await takes(2000, 2500, () => failure(UnavailableError, connecting()));
    assert.match(error.message, why);
  };
  // The server shuts the connection, and only its log says why.
  await refused(server.endpoint, { ca: server.ca }, /no session within/);
  await refused(server.endpoint, undefined, /no session within/);
  await refused(
    server.endpoint,
    { ...server, ca: server.other_ca },
    /unable to verify the first certificate/,
  );
  const expired = await world.ensemble.tls("expired");
  await refused(expired.endpoint, expired, /certificate has expired/);
  await assert.rejects(world.connect(server.endpoint, { tls: { ca: "not PEM" } }));
});
