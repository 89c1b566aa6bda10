import type { RequestHeader, ResponseHeader } from "./gen/pando/v1/common.js";

/** What the links of one session share with it. */
export interface Lease {
  /** Of the session, as granted. */
  readonly timeoutMs: number;
  /** Names the session, and what it has seen. */
  header(): RequestHeader;
  heard(header: ResponseHeader | undefined): void;
  /** A server has confirmed the session, as of `sentAt` by performance.now(). */
  renew(sentAt: number, timeLeftMs: number): void;
}
