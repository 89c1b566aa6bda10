package pando.client;

import io.grpc.Channel;
import java.time.Duration;
import java.util.function.Consumer;
import pando.v1.KeepAliveRequest;
import pando.v1.KeepAliveResponse;
import pando.v1.SessionServiceGrpc;

/**
 * Keeps the session alive on one server, until that is of no more use. The session's loop's own.
 */
final class Beat {
  // A beat every third of the session's timeout; a server that does not answer it within another
  // sixth is left, so that half of the timeout remains to find the next one.
  private static final int BEATS_PER_TIMEOUT = 3;
  private static final int PATIENCES_PER_TIMEOUT = 6;
  // How often a server without a leader is asked again, and how long it may have none.
  private static final Duration NO_LEADER_PAUSE = Duration.ofMillis(200);
  private static final Duration NO_LEADER_MAX = Duration.ofSeconds(1);

  private final Lease lease;
  private final Loop loop;
  private final Consumer<PandoException> fail;
  private final Stream<KeepAliveRequest, KeepAliveResponse> stream;
  private Loop.Timer next; // the beat, or the end of the patience
  private long sentAt;
  private Long leaderLostAt;

  Beat(Channel channel, Lease lease, Loop loop, Consumer<PandoException> fail) {
    this.lease = lease;
    this.loop = loop;
    this.fail = fail;
    stream = new Stream<>(channel, SessionServiceGrpc.getKeepAliveMethod(), this::answered, fail);
    send();
  }

  void cancel() {
    next.cancel();
    stream.cancel();
  }

  private void send() {
    sentAt = System.nanoTime();
    stream.send(KeepAliveRequest.newBuilder().setHeader(lease.header()).build());
    next =
        loop.schedule(
            lease.timeout().dividedBy(PATIENCES_PER_TIMEOUT),
            () -> fail.accept(PandoException.unavailable("the server does not answer")));
  }

  private void answered(KeepAliveResponse response) {
    next.cancel();
    lease.heard(response.getHeader());
    switch (response.getState()) {
      case SESSION_STATE_OK -> {
        leaderLostAt = null;
        lease.renew(sentAt, Duration.ofMillis(response.getTimeLeftMs()));
        next = loop.schedule(lease.timeout().dividedBy(BEATS_PER_TIMEOUT), this::send);
      }
      case SESSION_STATE_EXPIRED -> fail.accept(PandoException.lost("the session is over"));
      default -> {
        leaderLostAt = leaderLostAt == null ? sentAt : leaderLostAt;
        if (System.nanoTime() - leaderLostAt > NO_LEADER_MAX.toNanos()) {
          fail.accept(PandoException.unavailable("the server knows no leader"));
        } else {
          next = loop.schedule(NO_LEADER_PAUSE, this::send);
        }
      }
    }
  }
}
