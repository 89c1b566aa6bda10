package pando.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import pando.v1.ResponseHeader;
import pando.v1.TreeServiceGrpc;
import pando.v1.WatchRequest;
import pando.v1.WatchResponse;

/**
 * The one server that a session is attached to: a Pipeline, a KeepAlive, a Watch stream. It lasts
 * until the first of them fails; whoever made it then makes another, on the next server. The
 * session's loop's own.
 */
final class Link {
  private record Held(ResponseHeader header, Runnable told, Consumer<PandoException> lost) {}

  private final ManagedChannel connection;
  private final Channel channel;
  private final Lease lease;
  private final Loop loop;
  private final Watches watches;
  private final Deque<Held> held = new ArrayDeque<>();
  private final CompletableFuture<PandoException> ended = new CompletableFuture<>();
  private Pipeline pipeline;
  private Beat beat;
  private Stream<WatchRequest, WatchResponse> watch;

  Link(
      ManagedChannel connection,
      ClientInterceptor signer,
      Lease lease,
      Loop loop,
      Watches watches) {
    this.connection = connection;
    channel = ClientInterceptors.intercept(connection, signer);
    this.lease = lease;
    this.loop = loop;
    this.watches = watches;
  }

  /** Why, once it has. */
  CompletableFuture<PandoException> ended() {
    return ended;
  }

  /** Moves the session here. */
  CompletableFuture<Void> attach(Backlog backlog) {
    pipeline = new Pipeline(channel, this, lease, backlog);
    return pipeline.attached();
  }

  void serve() {
    beat = new Beat(channel, lease, loop, this::fail);
    rewatch();
    pipeline.serve();
  }

  /** Something waits in the backlog. */
  void wake() {
    pipeline.send();
  }

  /** Opens the stream that fits what is watched, instead of the one at hand. */
  void rewatch() {
    if (ended.isDone()) {
      return;
    }
    if (watch != null) {
      watch.cancel();
      watch = null;
    }
    watches
        .request(lease.header())
        .ifPresent(request -> watch = watch(request, watches::take, this::watchFailed));
  }

  /** A Watch stream of its own. */
  Stream<WatchRequest, WatchResponse> watch(
      WatchRequest request, Consumer<WatchResponse> message, Consumer<PandoException> end) {
    var stream = new Stream<>(channel, TreeServiceGrpc.getWatchMethod(), message, end);
    stream.send(request);
    stream.finish();
    return stream;
  }

  /** Ends it, and says why. */
  void fail(PandoException why) {
    if (ended.isDone()) {
      return;
    }
    if (pipeline != null) {
      pipeline.cancel();
    }
    if (beat != null) {
      beat.cancel();
    }
    if (watch != null) {
      watch.cancel();
    }
    watches.disconnected();
    connection.shutdownNow();
    ended.complete(why);
    while (!held.isEmpty()) {
      held.remove().lost().accept(why);
    }
  }

  // --- Calls ------------------------------------------------------------------------------------

  /** A call with one answer. Cancelling the future cancels the call. */
  <Q, A> CompletableFuture<A> unary(
      MethodDescriptor<Q, A> method, Q request, Function<A, ResponseHeader> header) {
    var call = channel.newCall(method, CallOptions.DEFAULT);
    var result = new Result<A>(call);
    ClientCalls.asyncUnaryCall(
        call,
        request,
        new Answers<A>(result) {
          @Override
          public void onNext(A answer) {
            hold(
                header.apply(answer),
                () -> {
                  lease.heard(header.apply(answer));
                  result.complete(answer);
                },
                result::completeExceptionally);
          }

          @Override
          public void onCompleted() {}
        });
    return result;
  }

  /** A call with many. Cancelling the future cancels the call. */
  <Q, A> CompletableFuture<List<A>> parts(
      MethodDescriptor<Q, A> method, Q request, Function<A, ResponseHeader> header) {
    var call = channel.newCall(method, CallOptions.DEFAULT);
    var result = new Result<List<A>>(call);
    ClientCalls.asyncServerStreamingCall(
        call,
        request,
        new Answers<A>(result) {
          private final List<A> parts = new ArrayList<>();

          @Override
          public void onNext(A part) {
            hold(header.apply(part), () -> parts.add(part), result::completeExceptionally);
          }

          @Override
          public void onCompleted() {
            // Behind the parts.
            hold(
                ResponseHeader.getDefaultInstance(),
                () -> result.complete(parts),
                result::completeExceptionally);
          }
        });
    return result;
  }

  /**
   * Runs {@code told} once all was told that comes before a reply with this header, in the order of
   * the replies; or {@code lost}, if the link ends first.
   */
  void hold(ResponseHeader header, Runnable told, Consumer<PandoException> lost) {
    if (ended.isDone()) {
      lost.accept(ended.join());
    } else {
      held.add(new Held(header, told, lost));
      release();
    }
  }

  /** The watches have moved. */
  void release() {
    while (!held.isEmpty() && watches.told(held.element().header())) {
      held.remove().told().run();
    }
  }

  private void watchFailed(PandoException error) {
    if (error instanceof PandoException.Compacted compacted) {
      watches.compacted(compacted);
    } else {
      fail(error);
    }
  }

  /** What a call ends with. */
  private static final class Result<A> extends CompletableFuture<A> {
    private final ClientCall<?, ?> call;

    private Result(ClientCall<?, ?> call) {
      this.call = call;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      call.cancel("given up", null);
      return super.cancel(mayInterruptIfRunning);
    }
  }

  private abstract static class Answers<A> implements StreamObserver<A> {
    private final Result<?> result;

    private Answers(Result<?> result) {
      this.result = result;
    }

    @Override
    public void onError(Throwable error) {
      result.completeExceptionally(PandoException.of(error));
    }
  }
}
