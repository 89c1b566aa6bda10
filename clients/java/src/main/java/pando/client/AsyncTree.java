package pando.client;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import pando.v1.Consistency;
import pando.v1.CreateRequest;
import pando.v1.CreateResponse;
import pando.v1.DeleteRequest;
import pando.v1.DeleteResponse;
import pando.v1.GetAclRequest;
import pando.v1.GetAclResponse;
import pando.v1.GetRequest;
import pando.v1.GetResponse;
import pando.v1.ListRequest;
import pando.v1.ListResponse;
import pando.v1.PipelineOperation;
import pando.v1.PipelineResult;
import pando.v1.RequestHeader;
import pando.v1.ResponseHeader;
import pando.v1.SetAclRequest;
import pando.v1.SetAclResponse;
import pando.v1.SetRequest;
import pando.v1.SetResponse;
import pando.v1.SyncRequest;
import pando.v1.SyncResponse;
import pando.v1.TransactRequest;
import pando.v1.TransactResponse;
import pando.v1.TreeServiceGrpc;
import pando.v1.WalkRequest;
import pando.v1.WalkResponse;
import pando.v1.WatchRequest;
import pando.v1.WatchTarget;

/**
 * The tree, without waiting: many requests at once travel in few messages. A failed future holds a
 * {@link PandoException}. What depends on a future runs on the session's own thread, and must not
 * wait there; cancelling one forgets the answer, and does not take the request back.
 *
 * <p>Of the headers that callers give, only {@code consistency} counts. Thread-safe.
 */
public final class AsyncTree {
  private final Core core;
  private final Duration timeout;
  private final boolean linearizable;

  AsyncTree(Core core, Duration timeout, boolean linearizable) {
    this.core = core;
    this.timeout = timeout;
    this.linearizable = linearizable;
  }

  /** The same, where each call has so much time. */
  public AsyncTree within(Duration timeout) {
    return new AsyncTree(core, Options.Builder.positive(timeout), linearizable);
  }

  /** The same, where reads show all that was committed anywhere when they were asked. */
  public AsyncTree linearizable() {
    return new AsyncTree(core, timeout, true);
  }

  /** Makes a node; the response has its actual path. */
  public CompletableFuture<CreateResponse> create(CreateRequest request) {
    return write(
        PipelineOperation.newBuilder().setCreate(request.toBuilder().clearHeader()),
        (result, header) -> result.getCreate().toBuilder().setHeader(header).build());
  }

  /** A node's data and Stat. It shows at least what this session has seen before. */
  public CompletableFuture<GetResponse> get(GetRequest request) {
    return read(
        request.getHeader(),
        PipelineOperation.newBuilder().setGet(request.toBuilder().clearHeader()),
        (result, header) -> result.getGet().toBuilder().setHeader(header).build());
  }

  /** Replaces a node's data. */
  public CompletableFuture<SetResponse> set(SetRequest request) {
    return write(
        PipelineOperation.newBuilder().setSet(request.toBuilder().clearHeader()),
        (result, header) -> result.getSet().toBuilder().setHeader(header).build());
  }

  /** Removes a node. */
  public CompletableFuture<DeleteResponse> delete(DeleteRequest request) {
    return write(
        PipelineOperation.newBuilder().setDelete(request.toBuilder().clearHeader()),
        (result, header) -> result.getDelete().toBuilder().setHeader(header).build());
  }

  /** A page of a node's children. */
  public CompletableFuture<ListResponse> list(ListRequest request) {
    return read(
        request.getHeader(),
        PipelineOperation.newBuilder().setList(request.toBuilder().clearHeader()),
        (result, header) -> result.getList().toBuilder().setHeader(header).build());
  }

  /** A node's ACL. */
  public CompletableFuture<GetAclResponse> getAcl(GetAclRequest request) {
    return read(
        request.getHeader(),
        PipelineOperation.newBuilder().setGetAcl(request.toBuilder().clearHeader()),
        (result, header) -> result.getGetAcl().toBuilder().setHeader(header).build());
  }

  /** Replaces a node's ACL. */
  public CompletableFuture<SetAclResponse> setAcl(SetAclRequest request) {
    return write(
        PipelineOperation.newBuilder().setSetAcl(request.toBuilder().clearHeader()),
        (result, header) -> result.getSetAcl().toBuilder().setHeader(header).build());
  }

  /** All of one list or nothing: {@code then_operations} if every compare is true. */
  public CompletableFuture<TransactResponse> transact(TransactRequest request) {
    return write(
        PipelineOperation.newBuilder().setTransact(request.toBuilder().clearHeader()),
        (result, header) -> result.getTransact().toBuilder().setHeader(header).build());
  }

  /** Later reads show all that was committed anywhere before this. */
  public CompletableFuture<SyncResponse> sync() {
    return read(
        RequestHeader.getDefaultInstance(),
        PipelineOperation.newBuilder().setSync(SyncRequest.getDefaultInstance()),
        (result, header) -> result.getSync().toBuilder().setHeader(header).build());
  }

  /** A subtree, all of it at one revision. */
  public CompletableFuture<Subtree> walk(WalkRequest request) {
    return RepeatedCall.of(
            core,
            timeout,
            link ->
                link.parts(
                    TreeServiceGrpc.getWalkMethod(),
                    request.toBuilder().setHeader(header(request.getHeader())).build(),
                    WalkResponse::getHeader))
        .thenApply(Subtree::of);
  }

  /**
   * Watches targets: {@link Watch#node}, {@link Watch#children}, {@link Watch#subtree}. From now
   * on, or from {@code start_revision}; with {@code send_initial}, after the state. A reply that
   * comes after an event is given only when the event is there to be taken.
   */
  public CompletableFuture<Watch> watch(WatchRequest request) {
    if (request.getTargetsList().stream().anyMatch(WatchTarget::getOnce)) {
      return CompletableFuture.failedFuture(
          PandoException.make(
              "INVALID_ARGUMENT",
              Status.Code.INVALID_ARGUMENT,
              "a target with once: close the watch instead"));
    }
    return RepeatedCall.of(core, timeout, link -> WatchStart.on(link, request, core));
  }

  /**
   * A unary rpc of another service, {@code LockServiceGrpc.getLockMethod()}, on the session's
   * server and in its name. It is repeated until a server has answered it, as every rpc outside
   * TreeService may be.
   */
  public <Q extends Message, A extends Message> CompletableFuture<A> call(
      MethodDescriptor<Q, A> method, Q request) {
    FieldDescriptor field = request.getDescriptorForType().findFieldByName("header");
    return RepeatedCall.of(
        core,
        timeout,
        link -> {
          RequestHeader asked = (RequestHeader) request.getField(field);
          @SuppressWarnings("unchecked") // a message's builder builds its kind
          Q signed = (Q) request.toBuilder().setField(field, header(asked)).build();
          return link.unary(method, signed, AsyncTree::headerOf);
        });
  }

  boolean isOnLoop() {
    return core.loop.isCurrent();
  }

  private RequestHeader header(RequestHeader asked) {
    return core.header().toBuilder().setConsistency(consistency(asked)).build();
  }

  private Consistency consistency(RequestHeader asked) {
    return linearizable ? Consistency.CONSISTENCY_LINEARIZABLE : asked.getConsistency();
  }

  private static ResponseHeader headerOf(Message response) {
    return (ResponseHeader)
        response.getField(response.getDescriptorForType().findFieldByName("header"));
  }

  private <A> CompletableFuture<A> write(
      PipelineOperation.Builder message, BiFunction<PipelineResult, ResponseHeader, A> answer) {
    return core.submit(new Operation<>(message.build(), true, false, timeout, answer));
  }

  private <A> CompletableFuture<A> read(
      RequestHeader asked,
      PipelineOperation.Builder message,
      BiFunction<PipelineResult, ResponseHeader, A> answer) {
    boolean all = consistency(asked) == Consistency.CONSISTENCY_LINEARIZABLE;
    return core.submit(new Operation<>(message.build(), false, all, timeout, answer));
  }
}
