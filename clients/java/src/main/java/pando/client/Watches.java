package pando.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import pando.v1.RequestHeader;
import pando.v1.ResponseHeader;
import pando.v1.WatchEvent;
import pando.v1.WatchRequest;
import pando.v1.WatchResponse;

/**
 * What a session watches, all of it on one stream.
 *
 * <p>One stream, because only so it is known which events precede a reply: {@code stream_revision}
 * says how far the session's streams must have come, and a stream without an event there would say
 * so only with its next progress mark. Each watch has a cursor of its own; the stream goes on from
 * the lowest, and every watch takes what is above its own.
 *
 * <p>The session's loop's own, but for {@link #close} and {@link #resume}.
 */
final class Watches {
  static final int TARGETS_MAX = 10_000;

  private static final long NEVER = Long.MAX_VALUE;

  private final Executor loop;
  private final Runnable changed;
  private final Runnable moved;
  private final List<Watch> all = new ArrayList<>();
  private final List<WatchEvent> partial = new ArrayList<>();
  private long openedAt = NEVER;

  /**
   * {@code changed}: the stream at hand no longer fits what is watched; {@code moved}: replies may
   * be due that were held back.
   */
  Watches(Executor loop, Runnable changed, Runnable moved) {
    this.loop = loop;
    this.changed = changed;
    this.moved = moved;
  }

  void add(Watch watch) {
    long count = all.stream().mapToLong(other -> other.targets.size()).sum();
    if (count + watch.targets.size() > TARGETS_MAX) {
      throw PandoException.make(
          "TOO_LARGE",
          io.grpc.Status.Code.INVALID_ARGUMENT,
          "a session watches at most " + TARGETS_MAX + " targets");
    }
    watch.home = this;
    all.add(watch);
    change();
  }

  /** From any thread. */
  void close(Watch watch) {
    loop.execute(
        () -> {
          if (all.remove(watch)) {
            change();
          }
        });
  }

  /** From any thread. */
  void resume(Watch watch) {
    loop.execute(
        () -> {
          if (watch.lagging) {
            watch.lagging = false;
            change();
          }
        });
  }

  /** Opens the stream, where there is something to watch. */
  Optional<WatchRequest> request(RequestHeader header) {
    disconnected();
    if (live().findAny().isEmpty()) {
      return Optional.empty();
    }
    WatchRequest.Builder request =
        WatchRequest.newBuilder().setHeader(header).setStartRevision(cursor() + 1);
    live().forEach(watch -> request.addAllTargets(watch.targets));
    return Optional.of(request.build());
  }

  void disconnected() {
    openedAt = NEVER;
    partial.clear();
  }

  /** A message of the stream: its events to those who watch for them. */
  void take(WatchResponse response) {
    if (openedAt == NEVER) {
      openedAt = response.getHeader().getRevision();
    }
    partial.addAll(response.getEventsList());
    if (response.getPartial()) {
      return; // a stream that is resumed begins the revision again
    }
    List<WatchEvent> events = List.copyOf(partial);
    partial.clear();
    boolean lags = false;
    for (Watch watch : live().toList()) {
      List<WatchEvent> its = events.stream().filter(watch::wants).toList();
      watch.cursor = Math.max(watch.cursor, response.getProgressRevision());
      // First: who takes the last of them must see that the stream is to come back.
      watch.lagging = watch.size() + its.size() > Watch.EVENTS_MAX;
      watch.put(its);
      lags |= watch.lagging;
    }
    if (lags) {
      change();
    } else {
      moved.run();
    }
  }

  /** Changes from below its oldest revision are gone: so are the watches that need them. */
  void compacted(PandoException.Compacted error) {
    List<Watch> gone = live().filter(watch -> watch.cursor + 1 < error.oldestRevision()).toList();
    if (gone.isEmpty()) {
      gone = live().toList();
    }
    all.removeAll(gone);
    gone.forEach(watch -> watch.end(error));
    change();
  }

  /** All was told that comes before a reply with this header. */
  boolean told(ResponseHeader header) {
    // A reply as old as the stream may come from when the server did not know the stream yet.
    long due = header.getRevision() <= openedAt ? header.getRevision() : header.getStreamRevision();
    return due <= cursor();
  }

  /** null: it ends well. */
  void end(PandoException error) {
    all.forEach(watch -> watch.end(error));
    all.clear();
  }

  private Stream<Watch> live() {
    return all.stream().filter(watch -> !watch.lagging);
  }

  private long cursor() {
    return live().mapToLong(watch -> watch.cursor).min().orElse(NEVER);
  }

  private void change() {
    changed.run();
    moved.run();
  }
}
