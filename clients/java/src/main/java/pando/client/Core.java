package pando.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import pando.v1.CloseRequest;
import pando.v1.CloseResponse;
import pando.v1.OpenRequest;
import pando.v1.OpenResponse;
import pando.v1.RequestHeader;
import pando.v1.ResponseHeader;
import pando.v1.SessionServiceGrpc;

/**
 * A session's life: found, attached to one server at a time, and lost.
 *
 * <pre>
 * connect ──► CONNECTED ──► SUSPENDED ──► RECONNECTED ──► …
 *                               └─ the lease ran out, or a server says so ─► LOST
 * </pre>
 *
 * <p>Its loop's own, but for what says that it is for any thread.
 */
final class Core implements Lease {
  // A link that lasted so long was of use.
  private static final Duration LINK_GOOD = Duration.ofSeconds(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);
  private static final Metadata.Key<String> IDENTITY =
      Metadata.Key.of("pando-auth", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<byte[]> TOKEN =
      Metadata.Key.of("pando-session-token-bin", Metadata.BINARY_BYTE_MARSHALLER);

  final Options options;
  final Loop loop = new Loop(this::fault);
  // For any thread.
  final SessionEvents events = new SessionEvents();

  private final Queue<Operation<?>> submitted = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean woken = new AtomicBoolean();
  private final CompletableFuture<Void> opened = new CompletableFuture<>();
  private final CompletableFuture<Void> over = new CompletableFuture<>();

  private final Backlog backlog = new Backlog();
  private final Watches watches = new Watches(loop, this::rewatch, this::release);
  private final Endpoints endpoints;
  private final List<Runnable> waiting = new ArrayList<>(); // for a link, or the end
  private Loop.Timer lease; // ends the session
  private Link attempt;
  private Link link; // null: none
  private long linkedAt;
  private PandoException end; // of all that comes
  private boolean closing;
  private long clusterId;
  private long revision;
  // Set before it is opened.
  private volatile long id;
  private volatile byte[] token;
  private volatile Duration timeout;

  Core(Options options) {
    this.options = options;
    endpoints = new Endpoints(options.endpoints);
    clusterId = options.clusterId;
    timeout = options.sessionTimeout;
  }

  // --- For any thread ---------------------------------------------------------------------------

  /** Begins the search for a server; done once there is a session. */
  CompletableFuture<Void> open() {
    loop.execute(
        () -> {
          lease = loop.schedule(options.connectTimeout, this::unheard);
          connect();
        });
    return opened;
  }

  /** Ends the session on its server, if there is one; else it expires there. */
  CompletableFuture<Void> close() {
    loop.execute(this::leave);
    return over;
  }

  long id() {
    return id;
  }

  @Override
  public Duration timeout() {
    return timeout;
  }

  <A> CompletableFuture<A> submit(Operation<A> operation) {
    submitted.add(operation);
    if (woken.compareAndSet(false, true)) {
      loop.execute(this::takeSubmitted);
    }
    return operation;
  }

  // --- The session's life -----------------------------------------------------------------------

  private void connect() {
    if (end != null) {
      return;
    }
    Link made =
        new Link(options.channel(endpoints.current(), loop), new Signer(), this, loop, watches);
    attempt = made;
    Loop.Timer silent = loop.schedule(options.attemptTimeout, () -> made.fail(silent()));
    made.ended()
        .thenAccept(
            why -> {
              silent.cancel();
              ended(made, why);
            });
    (id == 0 ? openSession(made) : CompletableFuture.completedFuture(null))
        .thenCompose(
            open -> {
              long sentAt = System.nanoTime();
              return made.attach(backlog)
                  .thenRun(
                      () -> {
                        silent.cancel();
                        attached(made, sentAt);
                      });
            })
        .exceptionally(
            error -> {
              made.fail(PandoException.of(error));
              return null;
            });
  }

  private CompletableFuture<?> openSession(Link made) {
    OpenRequest request =
        OpenRequest.newBuilder()
            .setHeader(header())
            .setTimeoutMs(options.sessionTimeout.toMillis())
            .build();
    return made.unary(SessionServiceGrpc.getOpenMethod(), request, OpenResponse::getHeader)
        .thenAccept(
            response -> {
              token = response.getToken().toByteArray();
              timeout = Duration.ofMillis(response.getTimeoutMs());
              id = response.getSessionId();
            });
  }

  private void attached(Link made, long sentAt) {
    renew(sentAt, timeout);
    backlog.rewind();
    link = made;
    linkedAt = System.nanoTime();
    events.emit(opened.isDone() ? SessionEvent.RECONNECTED : SessionEvent.CONNECTED);
    opened.complete(null);
    link.serve();
    tellWaiting();
  }

  private void ended(Link made, PandoException why) {
    if (end != null || made != attempt) {
      return;
    }
    boolean served = made == link;
    link = null;
    if (served && System.nanoTime() - linkedAt > LINK_GOOD.toNanos()) {
      endpoints.wasGood();
    }
    if (why.isFinal()) {
      finish(opened.isDone() ? PandoException.lost(why.getMessage()) : why);
      return;
    }
    if (served) {
      events.emit(SessionEvent.SUSPENDED);
    }
    loop.schedule(endpoints.leave(why), this::connect);
  }

  private PandoException silent() {
    return PandoException.unavailable(
        "took the connection, and did not answer within "
            + options.attemptTimeout.toMillis()
            + " ms");
  }

  private void unheard() {
    if (opened.isDone()) {
      finish(
          PandoException.lost(
              "no server confirmed the session within "
                  + timeout.toMillis()
                  + " ms: "
                  + endpoints.failures()));
    } else {
      finish(
          PandoException.unavailable(
              "no session within "
                  + options.connectTimeout.toMillis()
                  + " ms: "
                  + endpoints.failures()));
    }
  }

  private void leave() {
    if (link == null || closing) {
      finish(PandoException.closed("the session was closed"));
      return;
    }
    closing = true;
    CloseRequest request = CloseRequest.newBuilder().setHeader(header()).build();
    link.unary(SessionServiceGrpc.getCloseMethod(), request, CloseResponse::getHeader)
        .whenComplete((response, error) -> leave());
    loop.schedule(CLOSE_TIMEOUT, this::leave);
  }

  private void fault(Throwable thrown) {
    finish(PandoException.of(thrown));
  }

  private void finish(PandoException why) {
    if (end != null) {
      return;
    }
    end = closing ? PandoException.closed("the session was closed") : why;
    boolean closed = end instanceof PandoException.SessionClosed;
    if (lease != null) {
      lease.cancel();
    }
    link = null;
    if (attempt != null) {
      attempt.fail(end);
    }
    if (opened.isDone() && !closed) {
      events.emit(SessionEvent.LOST);
    }
    events.end();
    backlog.outstanding().forEach(operation -> operation.fail(end.of(operation)));
    watches.end(closed ? null : end);
    tellWaiting();
    opened.completeExceptionally(end);
    over.complete(null);
  }

  // --- What its links need ----------------------------------------------------------------------

  @Override
  public RequestHeader header() {
    return RequestHeader.newBuilder()
        .setClusterId(clusterId)
        .setSessionId(id)
        .setMinRevision(revision)
        .build();
  }

  @Override
  public void heard(ResponseHeader header) {
    if (header.getClusterId() != 0) {
      clusterId = header.getClusterId();
    }
    revision = Math.max(revision, header.getRevision());
  }

  @Override
  public void renew(long sentAt, Duration timeLeft) {
    lease.cancel();
    Duration passed = Duration.ofNanos(System.nanoTime() - sentAt);
    lease = loop.schedule(timeLeft.minus(passed), this::unheard);
  }

  private void rewatch() {
    if (link != null) {
      link.rewatch();
    }
  }

  private void release() {
    if (link != null) {
      link.release();
    }
  }

  /** Adds who asks to every call. */
  private final class Signer implements ClientInterceptor {
    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(
        MethodDescriptor<Q, A> method, CallOptions callOptions, Channel next) {
      return new SimpleForwardingClientCall<>(next.newCall(method, callOptions)) {
        @Override
        public void start(Listener<A> listener, Metadata headers) {
          options.identities.forEach(identity -> headers.put(IDENTITY, identity));
          if (token != null) {
            headers.put(TOKEN, token);
          }
          super.start(listener, headers);
        }
      };
    }
  }

  // --- Calls ------------------------------------------------------------------------------------

  private void takeSubmitted() {
    woken.set(false);
    for (var operation = submitted.poll(); operation != null; operation = submitted.poll()) {
      take(operation);
    }
    if (link != null) {
      link.wake();
    }
  }

  private void take(Operation<?> operation) {
    if (end != null) {
      operation.fail(end);
      return;
    }
    backlog.add(operation);
    operation.deadline =
        loop.schedule(
            operation.timeout,
            () -> operation.fail(PandoException.timedOut(operation.timeout, "").of(operation)));
  }

  /** Why it is over; null: it is not. */
  PandoException end() {
    return end;
  }

  /** null: none. */
  Link link() {
    return link;
  }

  /** Runs it when there is a link, or none to come. */
  void onceLinked(Runnable then) {
    waiting.add(then);
  }

  void watch(Watch watch) {
    watches.add(watch);
  }

  private void tellWaiting() {
    List<Runnable> told = List.copyOf(waiting);
    waiting.clear();
    told.forEach(Runnable::run);
  }
}
