package test.pando.recipes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Curator's recipes, with a server killed in the middle of each. */
class RecipesTest {
  private final String root = "/recipes-" + UUID.randomUUID();
  private final List<CuratorFramework> clients = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    Servers.startAll();
    client().create().forPath(root);
  }

  @AfterEach
  void stop() {
    clients.forEach(CuratorFramework::close);
  }

  private CuratorFramework client() throws Exception {
    CuratorFramework client = Servers.client();
    clients.add(client);
    return client;
  }

  @Test
  void aMutexHasOneHolderAtATime() throws Exception {
    final int holders = 4;
    final int turns = 25;
    String path = root + "/mutex";
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger done = new AtomicInteger();
    ExecutorService pool = Executors.newFixedThreadPool(holders);
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < holders; i++) {
      InterProcessMutex mutex = new InterProcessMutex(client(), path);
      all.add(
          pool.submit(
              () -> {
                for (int turn = 0; turn < turns; turn++) {
                  mutex.acquire();
                  assertEquals(1, inside.incrementAndGet());
                  Thread.sleep(5);
                  done.incrementAndGet();
                  inside.decrementAndGet();
                  mutex.release();
                }
                return null;
              }));
    }
    Await.until("a quarter of the turns", () -> done.get() >= holders * turns / 4);
    Servers.killServerOf(clients.get(1));
    for (Future<?> one : all) {
      one.get();
    }
    pool.shutdown();
    assertEquals(holders * turns, done.get());
    // The mutex lies in a container, which may be gone with the last who waited.
    CuratorFramework last = clients.get(0);
    Await.until(
        "nobody waits",
        () -> {
          Stat stat = last.checkExists().forPath(path);
          return stat == null || stat.getNumChildren() == 0;
        });
  }

  @Test
  void aLatchHasOneLeader() throws Exception {
    List<LeaderLatch> latches = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      LeaderLatch latch = new LeaderLatch(client(), root + "/latch", "latch-" + i);
      latch.start();
      latches.add(latch);
    }
    Await.until("a leader", () -> leaders(latches) == 1);
    LeaderLatch first = latches.stream().filter(LeaderLatch::hasLeadership).findAny().get();
    Servers.killServerOf(clients.get(1 + latches.indexOf(first)));
    Await.until("a leader without that server", () -> leaders(latches) == 1);
    Await.until("all know the same leader", () -> namesOfLeader(latches) == 1);

    LeaderLatch leader = latches.stream().filter(LeaderLatch::hasLeadership).findAny().get();
    latches.remove(leader);
    leader.close();
    Await.until("another leader", () -> leaders(latches) == 1);
    assertNotEquals(leader.getId(), latches.get(0).getLeader().getId());
    for (LeaderLatch latch : latches) {
      latch.close();
    }
  }

  private static long leaders(List<LeaderLatch> latches) {
    return latches.stream().filter(LeaderLatch::hasLeadership).count();
  }

  private static long namesOfLeader(List<LeaderLatch> latches) throws Exception {
    List<String> names = new ArrayList<>();
    for (LeaderLatch latch : latches) {
      names.add(latch.getLeader().getId());
    }
    return names.stream().distinct().count();
  }

  @Test
  void cachesFollowATree() throws Exception {
    final int nodes = 300;
    String tree = root + "/tree";
    client().create().forPath(tree);
    CuratorFramework reader = client();
    try (TreeCache treeCache = new TreeCache(reader, tree);
        CuratorCache curatorCache = CuratorCache.build(reader, tree)) {
      treeCache.start();
      curatorCache.start();
      CuratorFramework writer = client();
      for (int i = 0; i < nodes; i++) {
        String path = String.format("%s/%d", tree, i);
        writer.create().orSetData().forPath(path, new byte[] {1});
        writer.create().orSetData().forPath(path + "/below", new byte[] {2});
        if (i == nodes / 2) {
          Servers.killServerOf(reader);
        }
        if (i % 3 == 0) {
          writer.setData().forPath(path, new byte[] {3});
        }
        if (i % 5 == 0) {
          writer.delete().quietly().forPath(path + "/below");
        }
      }
      for (int i = 0; i < nodes; i++) {
        String path = String.format("%s/%d", tree, i);
        byte[] data = writer.getData().forPath(path);
        boolean below = writer.checkExists().forPath(path + "/below") != null;
        assertEquals(i % 5 != 0, below);
        Await.until(
            path + " in the tree cache",
            () ->
                treeCache.getCurrentData(path) != null
                    && treeCache.getCurrentData(path).getData()[0] == data[0]
                    && below == (treeCache.getCurrentData(path + "/below") != null));
        Await.until(
            path + " in Curator's cache",
            () ->
                curatorCache.get(path).isPresent()
                    && curatorCache.get(path).get().getData()[0] == data[0]
                    && below == curatorCache.get(path + "/below").isPresent());
      }
    }
  }

  @Test
  void aPersistentNodeStays() throws Exception {
    String path = root + "/node";
    byte[] data = "here".getBytes();
    CuratorFramework owner = client();
    CuratorFramework other = client();
    try (PersistentNode node =
        new PersistentNode(owner, CreateMode.EPHEMERAL, false, path, data)) {
      node.start();
      Await.until("the node", () -> other.checkExists().forPath(path) != null);
      Servers.killServerOf(owner);
      // It is there all the time: the session lives on, on another server.
      for (int i = 0; i < 50; i++) {
        assertTrue(other.checkExists().forPath(path) != null, "gone");
        Thread.sleep(20);
      }
      assertArrayEquals(data, other.getData().forPath(path));
      long session = owner.getZookeeperClient().getZooKeeper().getSessionId();
      assertEquals(session, other.checkExists().forPath(path).getEphemeralOwner());

      other.delete().forPath(path);
      Await.until("the node again", () -> other.checkExists().forPath(path) != null);
    }
    Await.until("its end", () -> other.checkExists().forPath(path) == null);
  }
}
