package pando.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static pando.client.Ensemble.before;
import static pando.client.World.fails;
import static pando.client.World.ms;
import static pando.client.World.options;
import static pando.client.World.takes;
import static pando.client.World.until;
import static pando.v1.NodeKind.NODE_KIND_EPHEMERAL;
import static pando.v1.NodeKind.NODE_KIND_PERSISTENT;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import pando.v1.AclEntry;
import pando.v1.CloseRequest;
import pando.v1.CreateRequest;
import pando.v1.CreateResponse;
import pando.v1.EventKind;
import pando.v1.Identity;
import pando.v1.SessionServiceGrpc;
import pando.v1.SetRequest;
import pando.v1.SetResponse;
import pando.v1.WatchEvent;
import pando.v1.WatchRequest;

/** The scenarios that every language's client passes: clients/conformance/scenarios.json. */
class ScenariosTest {
  private static final byte[] NOTHING = {};

  @RegisterExtension final World world = new World();

  private static byte[] bytes(Object text) {
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private SetRequest setRoot() {
    return SetRequest.newBuilder().setPath(world.root).build();
  }

  @Test
  void connect() throws InterruptedException {
    Session session = world.connect();
    assertEquals(SessionEvent.CONNECTED, session.events().poll(ms(0)));
    String node = world.create(session, "mine", NODE_KIND_EPHEMERAL);
    Session other = world.connect();
    var got = other.linearizable().get(node);
    assertEquals(session.id(), got.getStat().getEphemeralOwner());
    assertTrue(got.getHeader().getServerId() > 0);
    session.close();
    assertFalse(other.linearizable().exists(node));
    assertThrows(PandoException.SessionClosed.class, () -> session.get("/"));
  }

  @Test
  void typedErrors() {
    Session session = world.connect();
    var noNode =
        assertThrows(PandoException.NoNode.class, () -> session.get(world.root + "/nothing"));
    assertEquals("NO_NODE", noNode.reason());
    assertEquals(world.root + "/nothing", noNode.path());
    assertFalse(noNode.maybeApplied());
    assertThrows(PandoException.NodeExists.class, () -> session.create(world.root, NOTHING));
    var badVersion =
        assertThrows(PandoException.BadVersion.class, () -> session.set(world.root, NOTHING, 7));
    assertEquals("0", badVersion.metadata().get("actual_version"));
    var invalid =
        assertThrows(PandoException.Invalid.class, () -> session.create("no-slash", NOTHING));
    assertEquals("INVALID_PATH", invalid.reason());
    assertThrows(PandoException.Invalid.class, () -> session.watch(Watch.node("no-slash")));
  }

  @Test
  void noEndpointUp() throws Throwable {
    List<String> nobody = List.of(world.ensemble.other("nobody"), world.ensemble.other("nobody"));
    var machine = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long busy = machine.getProcessCpuTime();
    var unavailable =
        fails(
            2000,
            2500,
            PandoException.Unavailable.class,
            () -> world.connect(options(nobody).connectTimeout(ms(2000))));
    // The virtual machine compiles meanwhile.
    assertTrue(machine.getProcessCpuTime() - busy < ms(1500).toNanos(), "it spins");
    nobody.forEach(
        endpoint -> assertTrue(unavailable.getMessage().contains(endpoint), unavailable::toString));
  }

  /** Of this process. */
  private static long sockets() throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.filter(ScenariosTest::isSocket).count();
    }
  }

  private static boolean isSocket(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
    } catch (IOException gone) {
      return false;
    }
  }

  /** But for its thread, which ends by itself a while later. */
  @Test
  void leavesNothing() throws Throwable {
    String nobody = world.ensemble.other("nobody");
    String silent = world.ensemble.other("silent");
    long before = sockets();
    for (int i = 0; i < 10; i++) {
      try (Session session = Session.connect(nobody + "," + world.ensemble.endpoints().get(0))) {
        session.watch(Watch.node(world.root));
      }
    }
    assertThrows(
        PandoException.Unavailable.class,
        () -> world.connect(options(List.of(silent)).connectTimeout(ms(300))));
    long deadline = System.nanoTime() + ms(5000).toNanos();
    while (sockets() > before) {
      assertTrue(System.nanoTime() < deadline, before + " have become " + sockets());
      Thread.sleep(10);
    }
  }

  @Test
  void wrongEndpoint() throws Throwable {
    String http = world.ensemble.other("http");
    var unavailable =
        fails(
            1000,
            1500,
            PandoException.Unavailable.class,
            () -> world.connect(options(List.of(http)).connectTimeout(ms(1000))));
    assertTrue(unavailable.getMessage().contains(http), unavailable::toString);
    assertThrows(IllegalArgumentException.class, () -> world.connect("127.0.0.1:1", ""));
  }

  @Test
  void oneOfThreeWrong() throws Throwable {
    for (String kind : List.of("nobody", "http")) {
      List<String> endpoints = before(world.ensemble.other(kind), world.ensemble.rest(1));
      takes(0, 1500, () -> assertTrue(world.connect(endpoints).exists("/")));
    }
  }

  @Test
  void silentServer() throws Throwable {
    String silent = world.ensemble.other("silent");
    List<String> two = List.of(silent, world.ensemble.endpoints().get(0));
    takes(
        500,
        1500,
        () -> assertTrue(world.connect(options(two).attemptTimeout(ms(500))).exists("/")));
    var unavailable =
        fails(
            2000,
            2500,
            PandoException.Unavailable.class,
            () ->
                world.connect(
                    options(List.of(silent)).attemptTimeout(ms(500)).connectTimeout(ms(2000))));
    assertTrue(unavailable.getMessage().contains("did not answer"), unavailable::toString);
    // It is named also before it was silent for too long.
    var early =
        assertThrows(
            PandoException.Unavailable.class,
            () -> world.connect(options(List.of(silent)).connectTimeout(ms(300))));
    assertTrue(early.getMessage().contains(silent), early::toString);
  }

  @Test
  void anotherCluster() throws Throwable {
    String stranger = world.ensemble.other("stranger");
    String front = world.ensemble.front(1);
    Session session = world.connect(front, stranger, world.ensemble.endpoints().get(1));
    var events = session.events();
    world.ensemble.fault("cut", front);
    until(SessionEvent.RECONNECTED, events, ms(5000));
    assertTrue(session.linearizable().exists(world.root));
    long mine = session.get("/").getHeader().getClusterId();
    var wrong =
        assertThrows(
            PandoException.Unavailable.class,
            () ->
                world.connect(options(List.of(stranger)).clusterId(mine).connectTimeout(ms(1000))));
    assertTrue(wrong.getMessage().contains("WRONG_CLUSTER"), wrong::toString);
  }

  /** The best of three counts: other work on the machine slows each. */
  @Test
  void failover() {
    long back = Long.MAX_VALUE;
    for (int round = 0; round < 3 && back >= 200; round++) {
      world.ensemble.heal();
      back = Math.min(back, failoverMs("mine-" + round));
    }
    String said = "back after %d ms".formatted(back);
    System.out.println(said);
    assertTrue(back < 200, said);
  }

  private long failoverMs(String name) {
    int follower = world.ensemble.follower();
    Session session = world.connect(world.ensemble.first(follower));
    String node = world.create(session, name, NODE_KIND_EPHEMERAL);
    var events = session.events();
    Map<SessionEvent, Long> stamps = new EnumMap<>(SessionEvent.class);
    var stamping =
        CompletableFuture.runAsync(
            () -> events.forEach(event -> stamps.put(event, System.nanoTime())));
    world.ensemble.kill(follower);
    var set = session.within(ms(5000)).set(node, NOTHING);
    assertEquals(1, set.getStat().getVersion());
    assertEquals(session.id(), set.getStat().getEphemeralOwner());
    session.close();
    stamping.join();
    long nanos = stamps.get(SessionEvent.RECONNECTED) - stamps.get(SessionEvent.SUSPENDED);
    assertTrue(nanos >= 0);
    return nanos / 1_000_000;
  }

  @Test
  void failoverInTheMiddleOfAWrite() {
    for (int server : List.of(world.ensemble.follower(), world.ensemble.leader())) {
      world.ensemble.heal();
      String front = world.ensemble.front(server);
      Session session = world.connect(before(front, world.ensemble.rest(server)));
      Session other = world.connect(world.ensemble.rest(server));
      String node = world.create(session, "node-" + server, NODE_KIND_PERSISTENT);
      world.ensemble.fault("mute", front);
      List<CompletableFuture<SetResponse>> writes = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        writes.add(session.async().set(SetRequest.newBuilder().setPath(node).build()));
      }
      while (other.linearizable().get(node).getStat().getVersion() == 0) {
        Thread.onSpinWait(); // until the server has the first of them
      }
      world.ensemble.kill(server);
      var versions = writes.stream().map(write -> write.join().getStat().getVersion()).toList();
      assertEquals(LongStream.rangeClosed(1, 20).boxed().toList(), versions);
      assertEquals(20, session.get(node).getStat().getVersion());
    }
  }

  @Test
  void exactlyOnceUnderDroppedReplies() {
    String front = world.ensemble.front(1);
    Session session = world.connect(front);
    Session other = world.connect();
    var request =
        CreateRequest.newBuilder().setPath(world.root + "/n-").setSequential(true).build();
    for (int count = 1; count <= 10; count++) {
      world.ensemble.fault("mute", front);
      CompletableFuture<CreateResponse> create = session.async().create(request);
      while (world.names(other).size() < count) {
        Thread.onSpinWait(); // until it is applied; its reply is lost
      }
      assertFalse(create.isDone());
      world.ensemble.fault("cut", front);
      String path = create.join().getPath();
      List<String> names = world.names(other);
      assertEquals(world.root + "/" + names.get(count - 1), path);
      assertEquals(count, names.size());
    }
  }

  @Test
  void maybeApplied() throws Throwable {
    String front = world.ensemble.front(1);
    Session session = world.connect(front);
    String path = world.root + "/sent";
    world.ensemble.fault("mute", front);
    var sent =
        fails(
            500,
            1000,
            PandoException.TimedOut.class,
            () -> session.within(ms(500)).create(path, NOTHING));
    assertTrue(sent.maybeApplied());
    var read =
        fails(200, 700, PandoException.TimedOut.class, () -> session.within(ms(200)).get(path));
    assertFalse(read.maybeApplied());
    var events = session.events();
    world.ensemble.fault("cut", front);
    until(SessionEvent.RECONNECTED, events, ms(5000));
    assertTrue(session.linearizable().exists(path));
  }

  @Test
  void watchOverALeaderChange() throws InterruptedException {
    int leader = world.ensemble.leader();
    Session watcher = world.connect(world.ensemble.first(leader));
    Session writer = world.connect(world.ensemble.first(leader));
    Watch watch = watcher.watch(Watch.subtree(world.root));
    for (int i = 0; i < 100; i++) {
      if (i == 50) {
        world.ensemble.kill(leader);
      }
      world.create(writer, "%03d".formatted(i), NODE_KIND_PERSISTENT);
    }
    long revision = 0;
    for (int i = 0; i < 100; i++) {
      WatchEvent event = watch.poll(ms(10_000));
      assertEquals(world.root + "/%03d".formatted(i), event.getPath());
      assertTrue(event.getRevision() > revision, event::toString);
      revision = event.getRevision();
    }
    assertNull(watch.poll(ms(100)));
  }

  @Test
  void watchFromARevision() throws InterruptedException {
    Session session = world.connect();
    List<Long> revisions = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      revisions.add(session.set(world.root, bytes(i)).getHeader().getRevision());
    }
    var request = WatchRequest.newBuilder().addTargets(Watch.node(world.root));
    Watch past = session.watch(request.clone().setStartRevision(revisions.get(1)).build());
    Watch state = session.watch(request.clone().setSendInitial(true).build());
    assertEquals(1, state.initial().size());
    assertEquals("2", state.initial().get(0).getData().toStringUtf8());
    session.set(world.root, bytes(3));
    for (int i = 1; i <= 3; i++) {
      assertEquals(String.valueOf(i), past.poll(ms(5000)).getData().toStringUtf8());
    }
    assertEquals("3", state.poll(ms(5000)).getData().toStringUtf8());
  }

  @Test
  void eventBeforeData() throws InterruptedException {
    Session writer = world.connect();
    Session reader = world.connect();
    String busy = world.create(writer, "busy", NODE_KIND_PERSISTENT);
    Watch idle = reader.watch(Watch.node(world.root), Watch.children("/"));
    Watch watch = reader.watch(Watch.node(busy));
    Watch children = reader.watch(Watch.children(world.root));
    var stop = new AtomicBoolean();
    var writing =
        CompletableFuture.runAsync(
            () -> {
              while (!stop.get()) {
                writer.set(busy, NOTHING);
              }
            });
    long told = 0;
    try {
      for (int i = 0; i < 1000; i++) {
        long version = reader.get(busy).getStat().getVersion();
        while (watch.size() > 0) {
          told = watch.take().getStat().getVersion();
        }
        assertTrue(told >= version, "the data came before its event");
      }
    } finally {
      stop.set(true);
      writing.join();
    }
    assertTrue(told > 0);
    assertEquals(0, idle.size() + children.size());
  }

  /** A watch that nobody reads costs no more than its bound, and holds nothing back. */
  @Test
  void watchIsHeldByNoReader() throws InterruptedException {
    final int count = 25_000;
    Session session = world.connect();
    Watch watch = session.watch(Watch.node(world.root));
    var writer = session.async().within(ms(60_000));
    var writes = IntStream.range(0, count).mapToObj(i -> writer.set(setRoot())).toList();
    assertEquals(count, writes.get(count - 1).join().getStat().getVersion());
    assertTrue(watch.size() <= 12_000, () -> "it holds " + watch.size());
    for (long version = 1; version <= count; version++) {
      assertEquals(version, watch.poll(ms(10_000)).getStat().getVersion());
    }
  }

  /** Who is cut off knows before anybody else can have what it held. */
  @Test
  void sessionLost() throws Throwable {
    String front = world.ensemble.front(1);
    Session session = world.connect(options(List.of(front)).sessionTimeout(ms(2000)));
    Session other = world.connect();
    String node = world.create(session, "held", NODE_KIND_EPHEMERAL);
    var events = session.events();
    Watch gone = other.watch(Watch.node(node));
    Watch watch = session.watch(Watch.node(node));
    world.ensemble.fault("silence", front);
    until(SessionEvent.LOST, events, ms(2500));
    assertTrue(other.linearizable().exists(node), "it was told too late");
    assertFalse(events.iterator().hasNext());
    fails(0, 100, PandoException.SessionLost.class, () -> session.get(world.root));
    assertThrows(PandoException.SessionLost.class, watch::take);
    assertEquals(EventKind.EVENT_KIND_DELETED, gone.poll(ms(10_000)).getKind());
  }

  /** The servers say that it is over. */
  @Test
  void sessionExpired() throws InterruptedException {
    Session session = world.connect(options(world.ensemble.endpoints()).sessionTimeout(ms(2000)));
    var events = session.events();
    session.call(SessionServiceGrpc.getCloseMethod(), CloseRequest.getDefaultInstance());
    until(SessionEvent.LOST, events, ms(2000));
    assertThrows(PandoException.SessionLost.class, () -> session.get("/"));
  }

  @Test
  void serverFallsSilent() throws Throwable {
    String front = world.ensemble.front(1);
    List<String> two = List.of(front, world.ensemble.endpoints().get(1));
    Session session = world.connect(options(two).sessionTimeout(ms(3000)));
    var events = session.events();
    world.ensemble.fault("silence", front);
    takes(
        0,
        3000,
        () ->
            assertEquals(
                1, session.within(ms(5000)).set(world.root, NOTHING).getStat().getVersion()));
    until(SessionEvent.RECONNECTED, events, ms(1000));
  }

  /** Without a majority a write waits for its timeout, and the session goes on when it is back. */
  @Test
  void noLeader() throws Throwable {
    Session session = world.connect(options(world.ensemble.first(1)).sessionTimeout(ms(30_000)));
    world.ensemble.kill(2);
    world.ensemble.kill(3);
    fails(
        2000,
        2500,
        PandoException.TimedOut.class,
        () -> session.within(ms(2000)).set(world.root, NOTHING));
    world.ensemble.heal();
    session.set(world.root, bytes("y"));
    assertEquals("y", session.get(world.root).getData().toStringUtf8());
  }

  @Test
  void aclDenied() throws Throwable {
    Session ann =
        world.connect(options(world.ensemble.endpoints()).identities("digest:ann:secret"));
    Session anybody = world.connect();
    String node = world.root + "/hers";
    var everything =
        AclEntry.newBuilder()
            .setIdentity(Identity.newBuilder().setScheme("auth"))
            .setPermissions(0b11111);
    ann.create(CreateRequest.newBuilder().setPath(node).addAcl(everything).build());
    Watch hers = ann.watch(Watch.node(node));
    Watch others = anybody.watch(Watch.node(node));
    var denied =
        assertThrows(PandoException.PermissionDenied.class, () -> anybody.set(node, NOTHING));
    assertEquals(node, denied.path());
    assertFalse(denied.maybeApplied());
    assertThrows(PandoException.PermissionDenied.class, () -> anybody.get(node));
    ann.set(node, bytes("y"));
    assertEquals("y", hers.poll(ms(5000)).getData().toStringUtf8());
    anybody.linearizable().get(world.root); // what precedes this reply was told: nothing
    assertEquals(0, others.size());
    fails(
        0,
        2000,
        PandoException.Unauthenticated.class,
        () -> world.connect(options(world.ensemble.endpoints()).identities("nonsense")));
  }
}
