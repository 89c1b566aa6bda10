package pando.client;

import java.util.ArrayList;
import java.util.List;

/** What happened to a session, for all who listen. Thread-safe. */
final class SessionEvents {
  private final List<Feed<SessionEvent>> feeds = new ArrayList<>();
  private SessionEvent last;
  private boolean ended;

  synchronized SessionEvent last() {
    return last;
  }

  /** A feed that begins with how it stands now. */
  synchronized Feed<SessionEvent> feed() {
    Feed<SessionEvent> feed = new Feed<>();
    feed.put(List.of(last));
    if (ended) {
      feed.end(null);
    } else {
      feeds.add(feed);
    }
    return feed;
  }

  synchronized void emit(SessionEvent event) {
    last = event;
    feeds.forEach(feed -> feed.put(List.of(event)));
  }

  synchronized void end() {
    ended = true;
    feeds.forEach(feed -> feed.end(null));
    feeds.clear();
  }
}
