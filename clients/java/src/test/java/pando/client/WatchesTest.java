package pando.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static pando.v1.EventKind.EVENT_KIND_CREATED;
import static pando.v1.EventKind.EVENT_KIND_DATA_CHANGED;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import pando.v1.EventKind;
import pando.v1.RequestHeader;
import pando.v1.ResponseHeader;
import pando.v1.WatchEvent;
import pando.v1.WatchRequest;
import pando.v1.WatchResponse;
import pando.v1.WatchTarget;

/** What a server would hardly do on demand. */
class WatchesTest {
  private final Watches watches = new Watches(Runnable::run, () -> {}, () -> {});

  private Watch watch(WatchTarget target, long cursor) {
    Watch watch = new Watch(List.of(target), List.of(), cursor);
    watches.add(watch);
    return watch;
  }

  private WatchRequest request() {
    return watches.request(RequestHeader.getDefaultInstance()).orElseThrow();
  }

  private static WatchEvent event(String path, EventKind kind, long revision) {
    return WatchEvent.newBuilder().setPath(path).setKind(kind).setRevision(revision).build();
  }

  private static WatchResponse.Builder message(long progress, WatchEvent... events) {
    return WatchResponse.newBuilder()
        .setHeader(ResponseHeader.newBuilder().setRevision(10))
        .addAllEvents(List.of(events))
        .setProgressRevision(progress);
  }

  private static boolean told(WatchTarget target, String path, EventKind kind) {
    return Watch.matches(target, event(path, kind, 1));
  }

  @Test
  void matchesAsTheServerDoes() {
    assertTrue(told(Watch.node("/a"), "/a", EVENT_KIND_DATA_CHANGED));
    assertFalse(told(Watch.node("/a"), "/a/b", EVENT_KIND_DATA_CHANGED));
    assertTrue(told(Watch.children("/a"), "/a/b", EVENT_KIND_CREATED));
    assertFalse(told(Watch.children("/a"), "/a/b", EVENT_KIND_DATA_CHANGED));
    assertFalse(told(Watch.children("/a"), "/a/b/c", EVENT_KIND_CREATED));
    assertTrue(told(Watch.children("/"), "/a", EVENT_KIND_CREATED));
    assertFalse(told(Watch.children("/"), "/", EVENT_KIND_CREATED));
    assertTrue(told(Watch.subtree("/a"), "/a/b/c", EVENT_KIND_DATA_CHANGED));
    assertFalse(told(Watch.subtree("/a"), "/ab", EVENT_KIND_DATA_CHANGED));
    assertTrue(told(Watch.subtree("/"), "/", EVENT_KIND_DATA_CHANGED));
    assertTrue(told(Watch.subtree("/"), "/a", EVENT_KIND_DATA_CHANGED));
  }

  @Test
  void aRevisionInPartsIsToldOnce() throws InterruptedException {
    Watch watch = watch(Watch.subtree("/"), 4);
    request();
    WatchEvent part = event("/a", EVENT_KIND_CREATED, 5);
    watches.take(message(4, part).setPartial(true).build());
    assertEquals(5, request().getStartRevision()); // the stream broke between the parts
    watches.take(message(4, part).setPartial(true).build());
    watches.take(message(5, event("/b", EVENT_KIND_CREATED, 5)).build());
    assertEquals("/a", watch.take().getPath());
    assertEquals("/b", watch.take().getPath());
    assertEquals(0, watch.size());
  }

  @Test
  void onlyWatchesThatNeedWhatIsGoneEnd() throws InterruptedException {
    Watch old = watch(Watch.node("/a"), 4);
    Watch current = watch(Watch.node("/a"), 9);
    var error =
        PandoException.of(
            pando.v1.OperationError.newBuilder()
                .setReason(pando.v1.Reason.REASON_COMPACTED)
                .putMetadata("oldest_revision", "8")
                .build());
    watches.compacted((PandoException.Compacted) error);
    var compacted = assertThrows(PandoException.Compacted.class, old::take);
    assertEquals(8, compacted.oldestRevision());
    assertEquals(10, request().getStartRevision());
    assertNull(current.poll(Duration.ZERO));
  }

  @Test
  void aReplyWaitsForWhatPrecedesIt() {
    watch(Watch.node("/a"), 4);
    request();
    watches.take(message(5).build());
    var reply = ResponseHeader.newBuilder().setRevision(20);
    assertTrue(watches.told(reply.setStreamRevision(5).build()));
    assertFalse(watches.told(reply.setStreamRevision(6).build()));
    // As old as the stream: the server may not have known it.
    assertFalse(watches.told(reply.setRevision(10).setStreamRevision(0).build()));
    watches.take(message(10).build());
    assertTrue(watches.told(reply.build()));
  }

  @Test
  void aSessionHasSoManyTargets() {
    var targets = Stream.generate(() -> Watch.node("/a")).limit(Watches.TARGETS_MAX).toList();
    watches.add(new Watch(targets, List.of(), 0));
    var tooMany = assertThrows(PandoException.Invalid.class, () -> watch(Watch.node("/b"), 0));
    assertEquals("TOO_LARGE", tooMany.reason());
  }

  // Else a reader could take all of them, see no lag, and be left by the stream for ever.
  @Test
  void aWatchLagsBeforeItsLastEventsAreThere() {
    WatchEvent event = event("/a", EVENT_KIND_DATA_CHANGED, 5);
    WatchResponse many =
        message(5).addAllEvents(Collections.nCopies(Watch.EVENTS_MAX + 1, event)).build();
    for (int round = 0; round < 100; round++) {
      Watch watch = watch(Watch.node("/a"), 4);
      var lags =
          CompletableFuture.supplyAsync(
              () -> {
                while (watch.size() == 0) {
                  Thread.onSpinWait();
                }
                return watch.lagging;
              });
      watches.take(many);
      assertTrue(lags.join(), "its events are there, and it does not lag");
      watches.close(watch);
    }
  }
}
