package pando.client;

import java.time.Duration;

/**
 * A session, its calls and its watches, over one server at a time.
 *
 * <p>A call waits while there is no server, until its timeout: then {@link
 * PandoException.TimedOut}, whose {@code maybeApplied} says whether a write was sent. What a broken
 * connection leaves unanswered goes again on the next server, and is applied once. A call that
 * fails with {@link PandoException.SessionLost} is the session's last. Thread-safe.
 */
public final class Session extends Tree implements AutoCloseable {
  private final Core core;

  private Session(Core core) {
    super(new AsyncTree(core, core.options.operationTimeout, false));
    this.core = core;
  }

  /** With the default options: see {@link #connect(Options)}. */
  public static Session connect(String endpoints) {
    return connect(Options.builder(endpoints).build());
  }

  /**
   * Opens a session on whichever endpoint answers. {@link PandoException.Unavailable}, which says
   * what is wrong with each endpoint: none did in time; {@link PandoException.Unauthenticated}: an
   * identity is not accepted.
   */
  public static Session connect(Options options) {
    Core core = new Core(options);
    try {
      await(core.open());
    } catch (PandoException failed) {
      core.close().join();
      throw failed;
    }
    return new Session(core);
  }

  /** The ensemble's number for it. */
  public long id() {
    return core.id();
  }

  /** How long it may be silent, as granted. */
  public Duration timeout() {
    return core.timeout();
  }

  /** The last thing that happened to it. */
  public SessionEvent state() {
    return core.events.last();
  }

  /** What happens to it, beginning with how it stands now. Ends with it. */
  public Feed<SessionEvent> events() {
    return core.events.feed();
  }

  /** Ends it, with its ephemeral nodes. Without a server it expires by itself. */
  @Override
  public void close() {
    core.close().join();
  }
}
