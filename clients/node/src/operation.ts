import { maybeApplied, type PandoError } from "./errors.js";
import type { ResponseHeader } from "./gen/pando/v1/common.js";
import { PipelineOperation, type PipelineResult } from "./gen/pando/v1/tree.js";

type Body = NonNullable<PipelineOperation["operation"]>;
type Kind = Body["$case"];
/** What a Pipeline answers a request of this kind with. */
export type Answer<K extends Kind> = Extract<
  NonNullable<PipelineResult["result"]>,
  { $case: K }
>["value"];

const READS: ReadonlySet<Kind> = new Set<Kind>(["get", "list", "getAcl", "sync"]);

/** One request on its way through Pipelines, until it is answered. */
export class Operation {
  readonly isWrite: boolean;
  readonly linearizable: boolean;
  readonly answer: Promise<NonNullable<PipelineResult["result"]>["value"]>;
  /** Set once; encoded once, because its size bounds a message and it may go again. */
  requestId = 0n;
  encoded: Uint8Array = new Uint8Array();
  /** A server may have it. */
  sent = false;
  done = false;

  readonly #body: Body;
  readonly #timer: NodeJS.Timeout;
  #resolve: (value: NonNullable<PipelineResult["result"]>["value"]) => void = () => {};
  #reject: (error: PandoError) => void = () => {};

  constructor(body: Body, linearizable: boolean, timeoutMs: number, late: () => PandoError) {
    this.#body = body;
    this.isWrite = !READS.has(body.$case);
    this.linearizable = linearizable && !this.isWrite;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.abandon(late()), timeoutMs);
  }

  number(requestId: bigint): void {
    this.requestId = requestId;
    this.encoded = PipelineOperation.encode({ requestId, operation: this.#body }).finish();
  }

  /** Its answer; `header` is what one of its own would have. */
  finish(result: NonNullable<PipelineResult["result"]>, header: ResponseHeader): void {
    if (this.#end()) {
      this.#resolve("header" in result.value ? { ...result.value, header } : result.value);
    }
  }

  /** A server has refused it. */
  fail(error: PandoError): void {
    if (this.#end()) {
      this.#reject(error);
    }
  }

  /** It was not answered. */
  abandon(error: PandoError): void {
    this.fail(this.isWrite && this.sent ? maybeApplied(error) : error);
  }

  #end(): boolean {
    const first = !this.done;
    this.done = true;
    clearTimeout(this.#timer);
    return first;
  }
}
