/** Drives clients/conformance/ensemble.py: three real servers, and faults. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

interface Answer {
  error?: string;
  endpoints: string[];
  endpoint: string;
  id: number;
}

/** A server that demands a certificate, and PEM texts. */
export interface TlsServer {
  endpoint: string;
  ca: string;
  certificate: string;
  key: string;
  other_ca: string;
}

export class Ensemble {
  endpoints: string[] = [];

  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #down = new Set<number>();

  private constructor() {
    const driver = new URL("../../../conformance/ensemble.py", import.meta.url).pathname;
    this.#process = spawn("python3", [driver], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  static async start(): Promise<Ensemble> {
    const ensemble = new Ensemble();
    ensemble.endpoints = (await ensemble.#answer()).endpoints;
    return ensemble;
  }

  async close(): Promise<void> {
    this.#process.stdin?.end();
    await once(this.#process, "exit");
  }

  /** All three run. */
  async heal(): Promise<void> {
    for (const server of this.#down) {
      await this.#ask(`start ${server}`);
    }
    this.#down.clear();
  }

  async leader(): Promise<number> {
    return (await this.#ask("leader")).id;
  }

  async follower(): Promise<number> {
    return ((await this.leader()) % 3) + 1;
  }

  async kill(server: number): Promise<void> {
    this.#down.add(server);
    await this.#ask(`kill ${server}`);
  }

  endpoint(server: number): string {
    return this.endpoints[server - 1] as string;
  }

  /** All endpoints but that of `server`. */
  rest(server: number): string[] {
    return this.endpoints.filter((endpoint) => endpoint !== this.endpoint(server));
  }

  /** All endpoints, that of `server` first. */
  first(server: number): string[] {
    return [this.endpoint(server), ...this.rest(server)];
  }

  async front(server: number): Promise<string> {
    return (await this.#ask(`front ${server}`)).endpoint;
  }

  async fault(name: "mute" | "silence" | "cut", front: string): Promise<void> {
    await this.#ask(`${name} ${front}`);
  }

  /** An endpoint that is none of the ensemble's. */
  async other(kind: "silent" | "nobody" | "stranger" | "http"): Promise<string> {
    return (await this.#ask(kind)).endpoint;
  }

  async tls(certificate: "server" | "expired"): Promise<TlsServer> {
    return (await this.#ask(`tls ${certificate}`)) as unknown as TlsServer;
  }

  #ask(command: string): Promise<Answer> {
    this.#process.stdin?.write(`${command}\n`);
    return this.#answer();
  }

  async #answer(): Promise<Answer> {
    const line = await this.#lines.next();
    const answer: Answer = line.done ? { error: "the ensemble ended" } : JSON.parse(line.value);
    if (answer.error !== undefined) {
      throw new Error(answer.error);
    }
    return answer;
  }
}
