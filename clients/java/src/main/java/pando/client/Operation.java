package pando.client;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import pando.v1.PipelineOperation;
import pando.v1.PipelineResult;
import pando.v1.ResponseHeader;

/**
 * One request on its way through Pipelines, until it is answered. Made by the caller's thread, and
 * then the session's loop's own; what the caller has of it is the future.
 */
final class Operation<A> extends CompletableFuture<A> {
  final boolean isWrite;
  final boolean linearizable;
  final Duration timeout;
  boolean sent; // a server may have it
  Loop.Timer deadline;

  private final BiFunction<PipelineResult, ResponseHeader, A> answer;
  private PipelineOperation message;

  Operation(
      PipelineOperation message,
      boolean isWrite,
      boolean linearizable,
      Duration timeout,
      BiFunction<PipelineResult, ResponseHeader, A> answer) {
    this.message = message;
    this.isWrite = isWrite;
    this.linearizable = linearizable;
    this.timeout = timeout;
    this.answer = answer;
  }

  PipelineOperation message() {
    return message;
  }

  long requestId() {
    return message.getRequestId();
  }

  void number(long requestId) {
    message = message.toBuilder().setRequestId(requestId).build();
  }

  void finish(PipelineResult result, ResponseHeader header) {
    stop();
    complete(answer.apply(result, header));
  }

  void fail(PandoException error) {
    stop();
    completeExceptionally(error);
  }

  private void stop() {
    if (deadline != null) {
      deadline.cancel();
    }
  }
}
