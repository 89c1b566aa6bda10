package pando.client;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.function.Executable;
import pando.v1.CreateRequest;
import pando.v1.ListEntry;
import pando.v1.NodeKind;

/**
 * A test's own: a node, and sessions that are closed at its end. The ensemble is one for all tests,
 * and whole again before each.
 */
final class World implements BeforeEachCallback, AfterEachCallback {
  private final List<Session> sessions = new ArrayList<>();
  Ensemble ensemble;
  String root;

  @Override
  public void beforeEach(ExtensionContext context) {
    ensemble =
        context
            .getRoot()
            .getStore(Namespace.GLOBAL)
            .computeIfAbsent(Ensemble.class, key -> new Ensemble(), Ensemble.class);
    ensemble.heal();
    root =
        connect()
            .create(CreateRequest.newBuilder().setPath("/test-").setSequential(true).build())
            .getPath();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    sessions.forEach(Session::close);
  }

  Session connect() {
    return connect(options(ensemble.endpoints()));
  }

  Session connect(String... endpoints) {
    return connect(options(List.of(endpoints)));
  }

  Session connect(List<String> endpoints) {
    return connect(options(endpoints));
  }

  Session connect(Options.Builder options) {
    Session session = Session.connect(options.build());
    sessions.add(session);
    return session;
  }

  static Options.Builder options(List<String> endpoints) {
    return Options.builder(endpoints);
  }

  /** A node of its own; its path. */
  String create(Session session, String name, NodeKind kind) {
    return session.create(root + "/" + name, new byte[0], kind).getPath();
  }

  List<String> names(Session session) {
    return session.linearizable().children(root).stream().map(ListEntry::getName).toList();
  }

  static void until(SessionEvent event, Feed<SessionEvent> events, Duration timeout)
      throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    SessionEvent next;
    do {
      next = events.poll(Duration.ofNanos(Math.max(end - System.nanoTime(), 0)));
      assertNotNull(next, () -> "no " + event + " within " + timeout);
    } while (next != event);
  }

  static Duration ms(long ms) {
    return Duration.ofMillis(ms);
  }

  static void takes(long atLeastMs, long atMostMs, Executable body) throws Throwable {
    long began = System.nanoTime();
    body.execute();
    long took = (System.nanoTime() - began) / 1_000_000;
    assertTrue(atLeastMs <= took && took <= atMostMs, () -> "took " + took + " ms");
  }

  /** It fails so, within the time. */
  static <E extends PandoException> E fails(
      long atLeastMs, long atMostMs, Class<E> kind, Executable body) throws Throwable {
    List<E> failed = new ArrayList<>();
    takes(atLeastMs, atMostMs, () -> failed.add(assertThrows(kind, body)));
    return failed.get(0);
  }
}
