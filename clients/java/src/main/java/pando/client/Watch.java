package pando.client;

import java.util.List;
import pando.v1.EventKind;
import pando.v1.WalkEntry;
import pando.v1.WatchEvent;
import pando.v1.WatchKind;
import pando.v1.WatchTarget;

/**
 * The events of some targets: each once, in order, without a gap, over servers that fail. It ends
 * with {@link PandoException.Compacted} where changes are no longer kept, and with the session's
 * own end.
 */
public final class Watch extends Feed<WatchEvent> implements AutoCloseable {
  /**
   * A watch that has so many events to be taken lags: it leaves the stream until half are taken.
   */
  static final int EVENTS_MAX = 10_000;

  final List<WatchTarget> targets;
  // The session's loop's own.
  long cursor; // all up to here was told
  // Set by the loop, and read by whoever takes events.
  volatile boolean lagging;
  volatile Watches home;

  private final List<WalkEntry> initial;
  private final long startRevision;

  Watch(List<WatchTarget> targets, List<WalkEntry> initial, long cursor) {
    this.targets = targets;
    this.initial = List.copyOf(initial);
    this.cursor = cursor;
    startRevision = cursor + 1;
  }

  /** All changes of one node. */
  public static WatchTarget node(String path) {
    return target(path, WatchKind.WATCH_KIND_NODE).setWithData(true).build();
  }

  /** Direct children that come and go. */
  public static WatchTarget children(String path) {
    return target(path, WatchKind.WATCH_KIND_CHILDREN).build();
  }

  /** All changes of a node and of all below it. */
  public static WatchTarget subtree(String path) {
    return target(path, WatchKind.WATCH_KIND_SUBTREE).setWithData(true).build();
  }

  /** With {@code send_initial}: the state that the events come after. */
  public List<WalkEntry> initial() {
    return initial;
  }

  /** The events are those from here on. */
  public long startRevision() {
    return startRevision;
  }

  /** Ends it. */
  @Override
  public void close() {
    home.close(this);
    end(null);
  }

  @Override
  void taken(int left) {
    if (lagging && left <= EVENTS_MAX / 2) {
      home.resume(this);
    }
  }

  /** It has not been told this one, and it is for it. */
  boolean wants(WatchEvent event) {
    return event.getRevision() > cursor
        && targets.stream().anyMatch(target -> matches(target, event));
  }

  /** As the server matches them. */
  static boolean matches(WatchTarget target, WatchEvent event) {
    String path = event.getPath();
    if (target.getKind() == WatchKind.WATCH_KIND_CHILDREN) {
      boolean comesOrGoes =
          event.getKind() == EventKind.EVENT_KIND_CREATED
              || event.getKind() == EventKind.EVENT_KIND_DELETED;
      String parent = path.substring(0, Math.max(path.lastIndexOf('/'), 1));
      return comesOrGoes && !path.equals("/") && parent.equals(target.getPath());
    }
    if (path.equals(target.getPath())) {
      return true;
    }
    String below = target.getPath().equals("/") ? "/" : target.getPath() + "/";
    return target.getKind() == WatchKind.WATCH_KIND_SUBTREE && path.startsWith(below);
  }

  private static WatchTarget.Builder target(String path, WatchKind kind) {
    return WatchTarget.newBuilder().setPath(path).setKind(kind);
  }
}
