/** The README's quickstart, as it is printed. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { World } from "./world.js";

const world = new World();
const LINES_MAX = 20;

test("quickstart", async () => {
  const folder = new URL("../../", import.meta.url).pathname;
  const readme = readFileSync(`${folder}README.md`, "utf8");
  const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((block) => block[1] as string);
  const own = readFileSync(`${folder}test/quickstart.ts`, "utf8");
  assert.deepEqual(blocks, [own.replace('"../src/index.js"', '"pando-client"')]);
  assert.ok((blocks[0] as string).trim().split("\n").length <= LINES_MAX);

  const env = { ...process.env, PANDO_ENDPOINTS: world.ensemble.endpoints.join(",") };
  const program = new URL("quickstart.js", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [program], { env });
  assert.equal(stdout, "somebody was faster: /color\nevent: /color green\nevent: /color blue\n");
});
