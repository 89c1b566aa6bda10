package pando.client;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import pando.v1.WalkEntry;
import pando.v1.WatchRequest;
import pando.v1.WatchResponse;

/**
 * The beginning of a watch, on a stream of its own, so that what is wrong with it is its alone. The
 * session's loop's own.
 */
final class WatchStart {
  private final WatchRequest request;
  private final Core core;
  private final List<WalkEntry> initial = new ArrayList<>();
  private final CompletableFuture<Watch> result = new CompletableFuture<>();

  private WatchStart(WatchRequest request, Core core) {
    this.request = request;
    this.core = core;
  }

  /** Cancelling the future gives it up. */
  static CompletableFuture<Watch> on(Link link, WatchRequest request, Core core) {
    WatchStart start = new WatchStart(request, core);
    // Without the session: its events precede no reply.
    var header = core.header().toBuilder().clearSessionId();
    var stream =
        link.watch(
            request.toBuilder().setHeader(header).build(),
            start::take,
            start.result::completeExceptionally);
    start.result.whenComplete((watch, error) -> stream.cancel());
    return start.result;
  }

  private void take(WatchResponse response) {
    core.heard(response.getHeader());
    initial.addAll(response.getInitialNodesList());
    if (response.getInitialDone() || !request.getSendInitial()) {
      // From a start in the past the first message may have events already.
      long cursor =
          request.getStartRevision() == 0
              ? response.getProgressRevision()
              : request.getStartRevision() - 1;
      begin(new Watch(request.getTargetsList(), initial, cursor));
    }
  }

  private void begin(Watch watch) {
    try {
      core.watch(watch);
      result.complete(watch);
    } catch (PandoException tooMany) {
      result.completeExceptionally(tooMany);
    }
  }
}
