import { lost, type PandoError, unavailable } from "./errors.js";
import {
  type KeepAliveRequest,
  type KeepAliveResponse,
  SessionServiceService,
  SessionState,
} from "./gen/pando/v1/session.js";
import type { Lease } from "./lease.js";
import { type Connection, Stream } from "./stream.js";

// A beat every third of the session's timeout; a server that does not answer it within another
// sixth is left, so that half of the timeout remains to find the next one.
const BEATS_PER_TIMEOUT = 3;
const PATIENCES_PER_TIMEOUT = 6;
// How often a server without a leader is asked again, and how long it may have none.
const NO_LEADER_PAUSE_MS = 200;
const NO_LEADER_MAX_MS = 1000;

/** Keeps the session alive on one server, until that is of no more use. */
export class Beat {
  readonly #lease: Lease;
  readonly #fail: (why: PandoError) => void;
  readonly #stream: Stream<KeepAliveRequest, KeepAliveResponse>;
  /** The next beat, or the end of the patience. */
  #timer: NodeJS.Timeout | undefined;
  #sentAt = 0;
  #leaderLostAt: number | undefined;

  constructor(connection: Connection, lease: Lease, fail: (why: PandoError) => void) {
    this.#lease = lease;
    this.#fail = fail;
    this.#stream = new Stream(
      connection,
      SessionServiceService.keepAlive,
      (response) => this.#answered(response),
      (error) => fail(error ?? unavailable("the server is going away")),
    );
    this.#send();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#stream.cancel();
  }

  #send(): void {
    this.#sentAt = performance.now();
    this.#stream.send({ header: this.#lease.header() });
    this.#timer = setTimeout(
      () => this.#fail(unavailable("the server does not answer")),
      this.#lease.timeoutMs / PATIENCES_PER_TIMEOUT,
    );
  }

  #answered(response: KeepAliveResponse): void {
    clearTimeout(this.#timer);
    this.#lease.heard(response.header);
    if (response.state === SessionState.EXPIRED) {
      this.#fail(lost("the session is over"));
    } else if (response.state === SessionState.OK) {
      this.#leaderLostAt = undefined;
      this.#lease.renew(this.#sentAt, Number(response.timeLeftMs));
      this.#again(this.#lease.timeoutMs / BEATS_PER_TIMEOUT);
    } else {
      this.#leaderLostAt ??= this.#sentAt;
      if (performance.now() - this.#leaderLostAt > NO_LEADER_MAX_MS) {
        this.#fail(unavailable("the server knows no leader"));
      } else {
        this.#again(NO_LEADER_PAUSE_MS);
      }
    }
  }

  #again(pauseMs: number): void {
    this.#timer = setTimeout(() => this.#send(), pauseMs);
  }
}
