import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { Backlog } from "./backlog.js";
import { operationFailure, type PandoError, unavailable } from "./errors.js";
import { Consistency, RequestHeader, type ResponseHeader } from "./gen/pando/v1/common.js";
import {
  type PipelineResponse,
  type PipelineResult,
  TreeServiceService,
} from "./gen/pando/v1/tree.js";
import type { Lease } from "./lease.js";
import type { Operation } from "./operation.js";
import { type Connection, type Method, Stream } from "./stream.js";

// Answers that are none: the operation goes again, on another server.
const GO_AGAIN = new Set(["NO_LEADER", "BEHIND", "OVERLOADED", "TIMEOUT"]);

/** A PipelineRequest whose operations are encoded already. */
interface Batch {
  header: RequestHeader;
  operations: readonly Operation[];
}

const METHOD: Method<Batch, PipelineResponse> = {
  path: TreeServiceService.pipeline.path,
  requestSerialize({ header, operations }) {
    const writer = new BinaryWriter();
    RequestHeader.encode(header, writer.uint32(FIELD_HEADER).fork()).join();
    for (const operation of operations) {
      writer.uint32(FIELD_OPERATIONS).bytes(operation.encoded);
    }
    return Buffer.from(writer.finish());
  },
  responseDeserialize: TreeServiceService.pipeline.responseDeserialize,
};
// The tags of PipelineRequest's fields 1 and 2, both length-delimited.
const FIELD_HEADER = (1 << 3) | 2;
const FIELD_OPERATIONS = (2 << 3) | 2;

/** What a Pipeline needs of its link. */
interface Host {
  /** Runs `told` once all was told that precedes a reply; or `lost`, if the link ends first. */
  hold(header: ResponseHeader | undefined, told: () => void, lost: (why: PandoError) => void): void;
  fail(why: PandoError): void;
}

/**
 * The stream that a session's operations travel on. It is attached with its first message; from then
 * on nothing takes effect that the session sent elsewhere.
 */
export class Pipeline {
  /** The session is here. */
  readonly attached: Promise<void>;

  readonly #host: Host;
  readonly #lease: Lease;
  readonly #backlog: Backlog;
  readonly #stream: Stream<Batch, PipelineResponse>;
  #attach: (() => void) | undefined;
  #serving = false;

  constructor(connection: Connection, host: Host, lease: Lease, backlog: Backlog) {
    this.#host = host;
    this.#lease = lease;
    this.#backlog = backlog;
    this.attached = new Promise((resolve) => {
      this.#attach = resolve;
    });
    this.#stream = new Stream(
      connection,
      METHOD,
      (response) => this.#receive(response),
      (error) => host.fail(error ?? unavailable("the server is going away")),
    );
    this.#stream.send({ header: lease.header(), operations: [] });
  }

  /** From now on what is asked goes over it. */
  serve(): void {
    this.#serving = true;
    this.send();
  }

  /** What gathers while messages are unanswered makes the next one: so it batches. */
  send(): void {
    while (this.#serving) {
      const operations = this.#backlog.take();
      if (operations.length === 0) {
        return;
      }
      const header = this.#lease.header();
      header.firstOutstandingRequestId = this.#backlog.firstOutstanding;
      if (operations[0]?.linearizable) {
        header.consistency = Consistency.LINEARIZABLE;
      }
      this.#stream.send({ header, operations });
    }
  }

  cancel(): void {
    this.#serving = false;
    this.#stream.cancel();
  }

  #receive(response: PipelineResponse): void {
    if (this.#attach !== undefined) {
      this.#lease.heard(response.header);
      this.#attach();
      this.#attach = undefined;
      return;
    }
    this.#host.hold(
      response.header,
      () => this.#answer(response),
      () => {}, // what it answers goes again
    );
  }

  #answer(response: PipelineResponse): void {
    this.#lease.heard(response.header);
    let again: PandoError | undefined;
    for (const result of response.results) {
      again = this.#finish(result, response.header) ?? again;
    }
    if (again !== undefined) {
      this.#host.fail(again);
    } else {
      this.send();
    }
  }

  /** Gives a result to its caller; an answer that is none is returned instead. */
  #finish(
    { requestId, revision, result }: PipelineResult,
    header: ResponseHeader | undefined,
  ): PandoError | undefined {
    const operation = this.#backlog.answered(requestId);
    if (result === undefined || header === undefined) {
      throw new Error(`answer ${requestId} is empty`);
    }
    if (result.$case !== "error") {
      operation.finish(result, { ...header, revision });
      return undefined;
    }
    const error = operationFailure(result.value);
    if (GO_AGAIN.has(error.reason)) {
      this.#backlog.keep(operation);
      return error;
    }
    operation.fail(error);
    return undefined;
  }
}
