package pando.client;

import java.time.Duration;
import pando.v1.RequestHeader;
import pando.v1.ResponseHeader;

/** What the links of one session share with it. */
interface Lease {
  /** Names the session, and what it has seen. */
  RequestHeader header();

  void heard(ResponseHeader header);

  /** Of the session, as granted. */
  Duration timeout();

  /** A server has confirmed the session, as of {@code sentAt} by System.nanoTime. */
  void renew(long sentAt, Duration timeLeft);
}
