package pando.client;

import io.grpc.Channel;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import pando.v1.Consistency;
import pando.v1.PipelineRequest;
import pando.v1.PipelineResponse;
import pando.v1.PipelineResult;
import pando.v1.RequestHeader;
import pando.v1.ResponseHeader;
import pando.v1.TreeServiceGrpc;

/**
 * The stream that a session's operations travel on. It is attached with its first message; from
 * then on nothing takes effect that the session sent elsewhere. The session's loop's own.
 */
final class Pipeline {
  // Answers that are none: the operation goes again, on another server.
  private static final Set<String> GO_AGAIN =
      Set.of("NO_LEADER", "BEHIND", "OVERLOADED", "TIMEOUT");

  private final Link link;
  private final Lease lease;
  private final Backlog backlog;
  private final Stream<PipelineRequest, PipelineResponse> stream;
  private final CompletableFuture<Void> attached = new CompletableFuture<>();
  private boolean serving;

  Pipeline(Channel channel, Link link, Lease lease, Backlog backlog) {
    this.link = link;
    this.lease = lease;
    this.backlog = backlog;
    stream = new Stream<>(channel, TreeServiceGrpc.getPipelineMethod(), this::receive, link::fail);
    stream.send(PipelineRequest.newBuilder().setHeader(lease.header()).build());
  }

  CompletableFuture<Void> attached() {
    return attached;
  }

  /** From now on what is asked goes over it. */
  void serve() {
    serving = true;
    send();
  }

  /** What gathers while messages are unanswered makes the next one: so it batches. */
  void send() {
    if (!serving) {
      return;
    }
    for (var operations = backlog.take(); !operations.isEmpty(); operations = backlog.take()) {
      stream.send(message(operations));
    }
  }

  void cancel() {
    serving = false;
    stream.cancel();
  }

  private PipelineRequest message(List<Operation<?>> operations) {
    RequestHeader.Builder header =
        lease.header().toBuilder().setFirstOutstandingRequestId(backlog.firstOutstanding());
    if (operations.get(0).linearizable) {
      header.setConsistency(Consistency.CONSISTENCY_LINEARIZABLE);
    }
    PipelineRequest.Builder request = PipelineRequest.newBuilder().setHeader(header);
    operations.forEach(operation -> request.addOperations(operation.message()));
    return request.build();
  }

  private void receive(PipelineResponse response) {
    if (attached.isDone()) {
      link.hold(response.getHeader(), () -> answer(response), lost -> {});
    } else {
      lease.heard(response.getHeader());
      attached.complete(null);
    }
  }

  private void answer(PipelineResponse response) {
    lease.heard(response.getHeader());
    PandoException again = null;
    for (PipelineResult result : response.getResultsList()) {
      Operation<?> operation = backlog.answered(result.getRequestId());
      if (!result.hasError()) {
        operation.finish(result, header(response, result));
        continue;
      }
      PandoException error = PandoException.of(result.getError());
      if (GO_AGAIN.contains(error.reason())) {
        backlog.keep(operation);
        again = error;
      } else {
        operation.fail(error);
      }
    }
    if (again != null) {
      link.fail(again);
    } else {
      send();
    }
  }

  /** What an answer of its own would have. */
  private static ResponseHeader header(PipelineResponse response, PipelineResult result) {
    return response.getHeader().toBuilder().setRevision(result.getRevision()).build();
  }
}
