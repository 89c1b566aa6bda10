import {
  Client,
  type ClientDuplexStream,
  Metadata,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { asPandoError, callFailure, type PandoError } from "./errors.js";
import type { Settings } from "./options.js";
import { SocketKeeper } from "./sockets.js";

/** What is known of an rpc: an entry of a generated service definition. */
export interface Method<Q, A> {
  path: string;
  requestSerialize(request: Q): Buffer;
  responseDeserialize(bytes: Buffer): A;
}

/** A connection to one endpoint, whose calls show who asks. */
export class Connection {
  readonly #client: Client;
  readonly #sockets: SocketKeeper;
  readonly #identities: readonly string[];
  readonly #token: () => Buffer | undefined;

  constructor(endpoint: string, settings: Settings, token: () => Buffer | undefined) {
    this.#sockets = new SocketKeeper(settings.credentials);
    this.#client = new Client(endpoint, this.#sockets, settings.channel);
    this.#identities = settings.identities;
    this.#token = token;
  }

  call<Q, A>(method: Method<Q, A>): ClientDuplexStream<Q, A> {
    const metadata = new Metadata();
    for (const identity of this.#identities) {
      metadata.add("pando-auth", identity);
    }
    const token = this.#token();
    if (token !== undefined) {
      metadata.set("pando-session-token-bin", token);
    }
    return this.#client.makeBidiStreamRequest(
      method.path,
      (request: Q) => method.requestSerialize(request),
      (bytes: Buffer) => method.responseDeserialize(bytes),
      metadata,
    );
  }

  /** What goes on over it must be cancelled before. */
  close(): void {
    this.#client.close();
    this.#sockets.release();
  }
}

/**
 * One call, of any kind: its messages, and then how it ended; undefined: well. Who cancels it is
 * told nothing more.
 */
export class Stream<Q, A> {
  readonly #call: ClientDuplexStream<Q, A>;
  #over = false;

  constructor(
    connection: Connection,
    method: Method<Q, A>,
    message: (received: A) => void,
    ended: (error?: PandoError) => void,
  ) {
    this.#call = connection.call(method);
    this.#call.on("data", (received: A) => {
      if (this.#over) {
        return;
      }
      try {
        message(received);
      } catch (thrown) {
        this.cancel();
        ended(asPandoError(thrown));
      }
    });
    this.#call.on("error", () => {}); // its status says all
    this.#call.on("status", (how: StatusObject) => {
      if (!this.#over) {
        this.#over = true;
        ended(how.code === status.OK ? undefined : callFailure(how));
      }
    });
  }

  send(request: Q): void {
    if (!this.#over) {
      this.#call.write(request);
    }
  }

  /** Nothing more will be sent. */
  finish(): void {
    if (!this.#over) {
      this.#call.end();
    }
  }

  cancel(): void {
    if (!this.#over) {
      this.#over = true;
      this.#call.cancel();
    }
  }
}
