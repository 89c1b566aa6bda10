/** What a session costs, and what its Pipeline is worth. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { credentials, makeClientConstructor } from "@grpc/grpc-js";
import { GetRequest, type GetResponse, TreeServiceService } from "../src/v1.js";
import { World } from "./world.js";

const world = new World();
// Each way takes turns, and its best counts: other work on the machine slows both.
const ROUNDS = 4;
const ROUND_MS = 1000;
const CALLERS = 500;

/** Answers a second to so many callers. */
async function rate(ask: () => Promise<unknown>): Promise<number> {
  const end = performance.now() + ROUND_MS;
  let count = 0;
  const call = async () => {
    while (performance.now() < end) {
      await ask();
      count++;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  return (count * 1000) / ROUND_MS;
}

// Of reads: how many writes a second there are is for the ensemble's disks to say.
test("pipeline_throughput", async (t) => {
  const endpoint = world.ensemble.endpoint(await world.ensemble.leader());
  const session = await world.connect(endpoint);
  const TreeClient = makeClientConstructor(TreeServiceService, "TreeService");
  const stub = new TreeClient(endpoint, credentials.createInsecure());
  const request = GetRequest.fromPartial({ path: "/" });
  const oneCall = () =>
    new Promise<GetResponse>((resolve, reject) => {
      stub.get?.(request, (error: Error | null, answer: GetResponse) => {
        error ? reject(error) : resolve(answer);
      });
    });
  let [unary, pipeline] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    unary = Math.max(unary, await rate(oneCall));
    pipeline = Math.max(pipeline, await rate(() => session.get("/")));
  }
  stub.close();
  const said = `unary ${unary}/s, pipeline ${pipeline}/s: ${(pipeline / unary).toFixed(1)} times as many`;
  t.diagnostic(said);
  assert.ok(pipeline >= 5 * unary, said);
});

/** How often the threads of a process have waited for something. */
function waits(process: number): number {
  const tasks = `/proc/${process}/task`;
  return readdirSync(tasks)
    .map((task) => readFileSync(`${tasks}/${task}/status`, "utf8"))
    .map((status) => Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1]))
    .reduce((sum, count) => sum + count);
}

// A wake-up is a moment in which any thread of the process ran.
test("idle_session", async (t) => {
  const [seconds, moments] = [10, 10];
  const program = new URL("idle.js", import.meta.url).pathname;
  const idle = spawn(process.execPath, [program, ...world.ensemble.endpoints], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(idle.stdout, "data");
  await sleep(1000);
  let wakeUps = 0;
  let before = waits(idle.pid as number);
  for (let moment = 0; moment < seconds * moments; moment++) {
    await sleep(1000 / moments);
    const now = waits(idle.pid as number);
    wakeUps += now === before ? 0 : 1;
    before = now;
  }
  idle.stdin.end();
  await once(idle, "exit");
  const said = `an idle session wakes up ${wakeUps / seconds} times a second`;
  t.diagnostic(said);
  assert.ok(wakeUps < seconds, said);
});
