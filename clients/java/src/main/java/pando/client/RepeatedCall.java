package pando.client;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A call that is made until a server has answered it. For what may be repeated. The session's
 * loop's own.
 */
final class RepeatedCall<A> {
  // Between two tries on a link that is about to be found broken.
  private static final Duration PAUSE = Duration.ofMillis(20);

  private final Core core;
  private final Function<Link, CompletableFuture<A>> body;
  private final Duration timeout;
  private final CompletableFuture<A> result = new CompletableFuture<>();
  private Loop.Timer deadline;
  private CompletableFuture<A> attempt;
  private PandoException last;

  private RepeatedCall(Core core, Duration timeout, Function<Link, CompletableFuture<A>> body) {
    this.core = core;
    this.timeout = timeout;
    this.body = body;
  }

  /** From any thread. Cancelling the future gives it up. */
  static <A> CompletableFuture<A> of(
      Core core, Duration timeout, Function<Link, CompletableFuture<A>> body) {
    var call = new RepeatedCall<>(core, timeout, body);
    core.loop.execute(call::begin);
    return call.result;
  }

  private void begin() {
    deadline = core.loop.schedule(timeout, this::expire);
    result.whenComplete((answer, error) -> core.loop.execute(this::stop));
    tryOnce();
  }

  private void tryOnce() {
    if (result.isDone()) {
      return;
    }
    if (core.end() != null) {
      result.completeExceptionally(core.end());
    } else if (core.link() == null) {
      core.onceLinked(this::tryOnce);
    } else {
      attempt = body.apply(core.link());
      attempt.whenComplete(this::tried);
    }
  }

  private void tried(A answer, Throwable thrown) {
    if (thrown == null) {
      if (!result.complete(answer) && answer instanceof Watch unwanted) {
        unwanted.close(); // given up in this moment
      }
      return;
    }
    PandoException error = PandoException.of(thrown);
    if (error.retriable() || error instanceof PandoException.Unavailable) {
      last = error;
      core.loop.schedule(PAUSE, this::tryOnce);
    } else {
      result.completeExceptionally(error);
    }
  }

  private void expire() {
    String why = last == null ? "" : ": " + last.getMessage();
    result.completeExceptionally(PandoException.timedOut(timeout, why));
  }

  private void stop() {
    deadline.cancel();
    if (attempt != null) {
      attempt.cancel(false);
    }
  }
}
