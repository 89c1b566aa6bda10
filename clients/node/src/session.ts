import { Core, type SessionEvent } from "./core.js";
import { invalid, NoNodeError, timedOut } from "./errors.js";
import type { Feed } from "./feed.js";
import { Consistency, type RequestHeader, type ResponseHeader } from "./gen/pando/v1/common.js";
import {
  CreateRequest,
  type CreateResponse,
  DeleteRequest,
  type DeleteResponse,
  GetAclRequest,
  type GetAclResponse,
  GetRequest,
  type GetResponse,
  type ListEntry,
  ListRequest,
  type PipelineOperation,
  SetAclRequest,
  type SetAclResponse,
  SetRequest,
  type SetResponse,
  SyncRequest,
  TransactRequest,
  type TransactResponse,
  TreeServiceService,
  type WalkEntry,
  WalkRequest,
  WatchRequest,
  type WatchTarget,
} from "./gen/pando/v1/tree.js";
import { type Answer, Operation } from "./operation.js";
import { type Options, positive, Settings } from "./options.js";
import type { Method } from "./stream.js";
import type { Watch } from "./watch.js";

/** Of any call. */
export interface CallOptions {
  /** Without it: operationTimeoutMs. */
  timeoutMs?: number;
}

/** Of a read. */
export interface ReadOptions extends CallOptions {
  /** It shows all that was committed anywhere when it was asked. */
  linearizable?: boolean;
}

/** What a message may be made of: any of its fields. */
type Fields<M> = M extends { fromPartial(fields: infer F): unknown } ? NonNullable<F> : never;
type Without<T, K extends string> = Omit<T, K | "header">;

/** A node's data; text is UTF-8, and null is kept apart from empty. */
export type Data = Uint8Array | string | null;

type Body = NonNullable<PipelineOperation["operation"]>;

/**
 * Opens a session on whichever endpoint answers; HOST:PORT each, the first one first.
 *
 * Throws UnavailableError, which says what is wrong with each endpoint, when none did in time;
 * UnauthenticatedError when an identity is not accepted.
 */
export async function connect(
  endpoints: string | readonly string[],
  options: Options = {},
): Promise<Session> {
  const core = new Core(new Settings(endpoints, options));
  await core.open();
  return new Session(core);
}

/**
 * A session, its calls and its watches, over one server at a time.
 *
 * A call waits while there is no server, until its timeout: then TimedOutError, whose maybeApplied
 * says whether a write was sent. What a broken connection leaves unanswered goes again on the next
 * server, and is applied once. Calls are applied in the order in which they were made. A call that
 * ends with SessionLostError is the session's last.
 */
export class Session {
  readonly #core: Core;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
  }

  // --- The session itself ---------------------------------------------------------------------

  get id(): bigint {
    return this.#core.id;
  }

  /** How long it may be silent, as granted. */
  get timeoutMs(): number {
    return this.#core.timeoutMs;
  }

  /** The last thing that happened to it. */
  get state(): SessionEvent {
    return this.#core.state as SessionEvent;
  }

  /** What happens to it, beginning with how it stands now. Ends with it. */
  events(): Feed<SessionEvent> {
    return this.#core.events();
  }

  /** Ends it, with its ephemeral nodes. Without a server it expires by itself. */
  close(): Promise<void> {
    return this.#core.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // --- The tree -------------------------------------------------------------------------------

  /** Makes a node; the response has its actual path. */
  create(
    path: string,
    data?: Data,
    options: CallOptions & Without<Fields<typeof CreateRequest>, "path" | "data"> = {},
  ): Promise<CreateResponse> {
    const value = CreateRequest.fromPartial({ ...options, path, data: bytes(data) });
    return this.#ask({ $case: "create", value }, options);
  }

  /** A node's data and Stat. It shows at least what this session has seen before. */
  get(path: string, options: ReadOptions = {}): Promise<GetResponse> {
    return this.#ask({ $case: "get", value: GetRequest.fromPartial({ path }) }, options);
  }

  async exists(path: string, options: ReadOptions = {}): Promise<boolean> {
    try {
      const value = GetRequest.fromPartial({ path, withoutData: true });
      await this.#ask({ $case: "get", value }, options);
      return true;
    } catch (error) {
      if (error instanceof NoNodeError) {
        return false;
      }
      throw error;
    }
  }

  /** Replaces a node's data. */
  set(
    path: string,
    data: Data,
    options: CallOptions & { expectedVersion?: bigint } = {},
  ): Promise<SetResponse> {
    const value = SetRequest.fromPartial({ ...options, path, data: bytes(data) });
    return this.#ask({ $case: "set", value }, options);
  }

  /** Removes a node. */
  delete(
    path: string,
    options: CallOptions & Without<Fields<typeof DeleteRequest>, "path"> = {},
  ): Promise<DeleteResponse> {
    const value = DeleteRequest.fromPartial({ ...options, path });
    return this.#ask({ $case: "delete", value }, options);
  }

  /** All children, in the order of their names; a page after the other. */
  async children(
    path: string,
    options: ReadOptions & Without<Fields<typeof ListRequest>, "path" | "pageToken"> = {},
  ): Promise<ListEntry[]> {
    const entries: ListEntry[] = [];
    const value = ListRequest.fromPartial({ ...options, path });
    do {
      const page = await this.#ask({ $case: "list", value: { ...value } }, options);
      entries.push(...page.entries);
      value.pageToken = page.nextPageToken;
    } while (value.pageToken.length > 0);
    return entries;
  }

  /** A subtree, a node before its children, and the one revision that all of it is of. */
  async walk(
    path: string,
    options: ReadOptions & Without<Fields<typeof WalkRequest>, "path"> = {},
  ): Promise<{ revision: bigint; entries: WalkEntry[] }> {
    const request = WalkRequest.fromPartial({ ...options, path });
    const parts = await this.#core.call(this.#timeout(options), (link, signal) =>
      link.call(TreeServiceService.walk, { ...request, header: this.#header(options) }, signal),
    );
    return {
      revision: parts[0]?.revision ?? 0n,
      entries: parts.flatMap((part) => part.entries),
    };
  }

  getAcl(path: string, options: ReadOptions = {}): Promise<GetAclResponse> {
    return this.#ask({ $case: "getAcl", value: GetAclRequest.fromPartial({ path }) }, options);
  }

  /** Replaces a node's ACL. */
  setAcl(
    path: string,
    acl: Fields<typeof SetAclRequest>["acl"],
    options: CallOptions & Without<Fields<typeof SetAclRequest>, "path" | "acl"> = {},
  ): Promise<SetAclResponse> {
    const value = SetAclRequest.fromPartial({ ...options, path, acl });
    return this.#ask({ $case: "setAcl", value }, options);
  }

  /** All of one list or nothing: thenOperations if every compare is true. */
  transact(
    request: Without<Fields<typeof TransactRequest>, never>,
    options: CallOptions = {},
  ): Promise<TransactResponse> {
    const value = TransactRequest.fromPartial(request);
    return this.#ask({ $case: "transact", value }, options);
  }

  /** Later reads show all that was committed anywhere before this. */
  async sync(options: CallOptions = {}): Promise<void> {
    await this.#ask({ $case: "sync", value: SyncRequest.fromPartial({}) }, options);
  }

  /**
   * Watches targets: see node(), children() and subtree(). From now on, or from startRevision; with
   * sendInitial, after the state in Watch.initial. A reply that comes after an event is given only
   * when the event is there to be taken.
   */
  async watch(
    targets: WatchTarget | readonly WatchTarget[],
    options: CallOptions & { startRevision?: bigint; sendInitial?: boolean } = {},
  ): Promise<Watch> {
    const all = Array.isArray(targets) ? [...targets] : [targets as WatchTarget];
    if (all.some((target) => target.once)) {
      throw invalid("a target with once: close() the watch instead", "INVALID_ARGUMENT");
    }
    const request = WatchRequest.fromPartial({ ...options, targets: all });
    return this.#core.watch(request, this.#timeout(options));
  }

  /**
   * A unary rpc of another service, `LockServiceService.lock`, on the session's server and in its
   * name. It is repeated until a server has answered it, as every rpc outside TreeService may be.
   */
  async call<
    Q extends { header?: RequestHeader | undefined },
    A extends { header?: ResponseHeader | undefined },
  >(method: Method<Q, A>, request: Omit<Q, "header">, options: ReadOptions = {}): Promise<A> {
    const [answer] = await this.#core.call(this.#timeout(options), (link, signal) =>
      link.call(method, { ...request, header: this.#header(options) } as Q, signal),
    );
    return answer as A;
  }

  #ask<K extends Body["$case"]>(
    body: Extract<Body, { $case: K }>,
    options: ReadOptions,
  ): Promise<Answer<K>> {
    const timeoutMs = this.#timeout(options);
    const operation = new Operation(body, options.linearizable ?? false, timeoutMs, () =>
      timedOut(timeoutMs),
    );
    this.#core.submit(operation);
    return operation.answer as Promise<Answer<K>>;
  }

  #timeout(options: CallOptions): number {
    return positive(options.timeoutMs ?? this.#core.settings.operationTimeoutMs);
  }

  #header(options: ReadOptions): RequestHeader {
    const consistency = options.linearizable ? Consistency.LINEARIZABLE : Consistency.UNSPECIFIED;
    return { ...this.#core.header(), consistency };
  }
}

function bytes(data: Data | undefined): Buffer | undefined {
  return data === null || data === undefined ? undefined : Buffer.from(data as string);
}
