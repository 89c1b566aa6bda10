package pando.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import pando.v1.CreateRequest;
import pando.v1.CreateResponse;
import pando.v1.DeleteRequest;
import pando.v1.DeleteResponse;
import pando.v1.GetAclRequest;
import pando.v1.GetAclResponse;
import pando.v1.GetRequest;
import pando.v1.GetResponse;
import pando.v1.ListEntry;
import pando.v1.ListRequest;
import pando.v1.ListResponse;
import pando.v1.NodeKind;
import pando.v1.SetAclRequest;
import pando.v1.SetAclResponse;
import pando.v1.SetRequest;
import pando.v1.SetResponse;
import pando.v1.TransactRequest;
import pando.v1.TransactResponse;
import pando.v1.WalkRequest;
import pando.v1.WatchRequest;
import pando.v1.WatchTarget;

/**
 * The tree, as a session sees it. Every call waits for its answer, and fails with a {@link
 * PandoException}. Calls of one thread are applied in their order. Thread-safe.
 */
public class Tree {
  private final AsyncTree async;

  Tree(AsyncTree async) {
    this.async = async;
  }

  /** The same without waiting. */
  public final AsyncTree async() {
    return async;
  }

  /** The same, where each call has so much time: {@code session.within(ofSeconds(1)).get(path)}. */
  public final Tree within(Duration timeout) {
    return new Tree(async.within(timeout));
  }

  /** The same, where reads show all that was committed anywhere when they were asked. */
  public final Tree linearizable() {
    return new Tree(async.linearizable());
  }

  // --- The common forms -------------------------------------------------------------------------

  /** Makes a persistent node. */
  public final CreateResponse create(String path, byte[] data) {
    return create(path, data, NodeKind.NODE_KIND_PERSISTENT);
  }

  /** Makes a node; an ephemeral one goes with the session. */
  public final CreateResponse create(String path, byte[] data, NodeKind kind) {
    return create(
        CreateRequest.newBuilder()
            .setPath(path)
            .setData(ByteString.copyFrom(data))
            .setKind(kind)
            .build());
  }

  /** A node's data and Stat. It shows at least what this session has seen before. */
  public final GetResponse get(String path) {
    return get(GetRequest.newBuilder().setPath(path).build());
  }

  /** Whether there is such a node. */
  public final boolean exists(String path) {
    try {
      get(GetRequest.newBuilder().setPath(path).setWithoutData(true).build());
      return true;
    } catch (PandoException.NoNode none) {
      return false;
    }
  }

  /** Replaces a node's data, whatever its version. */
  public final SetResponse set(String path, byte[] data) {
    return set(SetRequest.newBuilder().setPath(path).setData(ByteString.copyFrom(data)).build());
  }

  /** Replaces a node's data, or fails with {@link PandoException.BadVersion}. */
  public final SetResponse set(String path, byte[] data, long expectedVersion) {
    return set(
        SetRequest.newBuilder()
            .setPath(path)
            .setData(ByteString.copyFrom(data))
            .setExpectedVersion(expectedVersion)
            .build());
  }

  /** Removes a node, whatever its version. */
  public final DeleteResponse delete(String path) {
    return delete(DeleteRequest.newBuilder().setPath(path).build());
  }

  /** All children, in the order of their names. */
  public final List<ListEntry> children(String path) {
    return children(ListRequest.newBuilder().setPath(path).build());
  }

  /** All children, in the order of their names; a page after the other. */
  public final List<ListEntry> children(ListRequest request) {
    List<ListEntry> entries = new ArrayList<>();
    ListResponse page = list(request);
    entries.addAll(page.getEntriesList());
    while (!page.getNextPageToken().isEmpty()) {
      page = list(request.toBuilder().setPageToken(page.getNextPageToken()).build());
      entries.addAll(page.getEntriesList());
    }
    return entries;
  }

  /** Watches targets from now on. */
  public final Watch watch(WatchTarget... targets) {
    return watch(WatchRequest.newBuilder().addAllTargets(List.of(targets)).build());
  }

  // --- The general forms ------------------------------------------------------------------------

  /** As {@link AsyncTree#create}. */
  public final CreateResponse create(CreateRequest request) {
    return await(blocking().create(request));
  }

  /** As {@link AsyncTree#get}. */
  public final GetResponse get(GetRequest request) {
    return await(blocking().get(request));
  }

  /** As {@link AsyncTree#set}. */
  public final SetResponse set(SetRequest request) {
    return await(blocking().set(request));
  }

  /** As {@link AsyncTree#delete}. */
  public final DeleteResponse delete(DeleteRequest request) {
    return await(blocking().delete(request));
  }

  /** As {@link AsyncTree#list}. */
  public final ListResponse list(ListRequest request) {
    return await(blocking().list(request));
  }

  /** As {@link AsyncTree#getAcl}. */
  public final GetAclResponse getAcl(GetAclRequest request) {
    return await(blocking().getAcl(request));
  }

  /** As {@link AsyncTree#setAcl}. */
  public final SetAclResponse setAcl(SetAclRequest request) {
    return await(blocking().setAcl(request));
  }

  /** As {@link AsyncTree#transact}. */
  public final TransactResponse transact(TransactRequest request) {
    return await(blocking().transact(request));
  }

  /** As {@link AsyncTree#sync}. */
  public final void sync() {
    await(blocking().sync());
  }

  /** As {@link AsyncTree#walk}. */
  public final Subtree walk(WalkRequest request) {
    return await(blocking().walk(request));
  }

  /** As {@link AsyncTree#watch}. */
  public final Watch watch(WatchRequest request) {
    return await(blocking().watch(request));
  }

  /** As {@link AsyncTree#call}. */
  public final <Q extends Message, A extends Message> A call(
      MethodDescriptor<Q, A> method, Q request) {
    return await(blocking().call(method, request));
  }

  /** The session's own thread would wait for itself. */
  private AsyncTree blocking() {
    if (async.isOnLoop()) {
      throw new IllegalStateException(
          "a call that waits, on the session's own thread: use async(), or another executor");
    }
    return async;
  }

  static <A> A await(CompletableFuture<A> answer) {
    try {
      return answer.get();
    } catch (ExecutionException failed) {
      throw PandoException.of(failed.getCause()).rethrown();
    } catch (InterruptedException interrupted) {
      answer.cancel(false);
      Thread.currentThread().interrupt();
      throw PandoException.interrupted();
    }
  }
}
