import { BadVersionError, connect, subtree } from "../src/index.js";

const session = await connect(process.env.PANDO_ENDPOINTS ?? "127.0.0.1:7400,127.0.0.1:7410");
const watch = await session.watch(subtree("/color"));

await session.create("/color", "green");
const { stat } = await session.get("/color");
await session.set("/color", "blue", { expectedVersion: stat?.version });
try {
  await session.set("/color", "red", { expectedVersion: stat?.version });
} catch (error) {
  if (!(error instanceof BadVersionError)) throw error;
  console.log("somebody was faster:", error.path);
}

for await (const event of watch) {
  console.log("event:", event.path, event.data?.toString());
  if (event.data?.toString() === "blue") break;
}
await session.close();
