/** Holds an idle session in a process of its own, and says when. */

import { connect, node } from "../src/index.js";

const session = await connect(process.argv.slice(2));
await session.watch(node("/"));
process.stdout.write("idle\n");
// Until the test is done.
process.stdin.resume().on("end", () => session.close());
