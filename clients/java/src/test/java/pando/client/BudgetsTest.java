package pando.client;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import pando.v1.GetRequest;
import pando.v1.GetResponse;
import pando.v1.TreeServiceGrpc;

/** What a session costs, and what its Pipeline is worth. Figures are printed. */
class BudgetsTest {
  // Each way takes turns, and its best counts: other work on the machine slows both.
  private static final int ROUNDS = 4;
  private static final long ROUND_NANOS = TimeUnit.SECONDS.toNanos(1);

  @RegisterExtension final World world = new World();

  /** Answers a second to so many callers; {@code ask} returns how many it got. */
  private static long rate(int callers, IntSupplier ask) throws InterruptedException {
    var count = new LongAdder();
    var threads = Executors.newFixedThreadPool(callers);
    long end = System.nanoTime() + ROUND_NANOS;
    for (int caller = 0; caller < callers; caller++) {
      threads.execute(
          () -> {
            while (System.nanoTime() < end) {
              count.add(ask.getAsInt());
            }
          });
    }
    threads.shutdown();
    assertTrue(threads.awaitTermination(1, TimeUnit.MINUTES));
    return count.sum();
  }

  /**
   * Of reads: how many writes a second there are is for the ensemble's disks to say. Each way as it
   * is the fastest: unary calls by 64 threads, futures by 8 with 64 each.
   */
  @Test
  void pipelineThroughput() throws InterruptedException {
    String endpoint = world.ensemble.endpoints().get(world.ensemble.leader() - 1);
    Session session = world.connect(endpoint);
    ManagedChannel channel =
        Grpc.newChannelBuilder(endpoint, InsecureChannelCredentials.create()).build();
    var stub = TreeServiceGrpc.newBlockingStub(channel);
    var request = GetRequest.newBuilder().setPath("/").build();
    IntSupplier oneCall =
        () -> {
          assertNotNull(stub.get(request));
          return 1;
        };
    IntSupplier manyFutures =
        () -> {
          List<CompletableFuture<GetResponse>> answers = new ArrayList<>();
          for (int i = 0; i < 64; i++) {
            answers.add(session.async().get(request));
          }
          answers.forEach(CompletableFuture::join);
          return answers.size();
        };
    long unary = 0;
    long pipeline = 0;
    for (int round = 0; round < ROUNDS; round++) {
      unary = Math.max(unary, rate(64, oneCall));
      pipeline = Math.max(pipeline, rate(8, manyFutures));
    }
    channel.shutdownNow();
    String said =
        "unary %d/s, pipeline %d/s: %.1f times as many"
            .formatted(unary, pipeline, (double) pipeline / unary);
    System.out.println(said);
    assertTrue(pipeline >= 5 * unary, said);
  }

  /**
   * How often the threads of the session and of gRPC have waited for something. The virtual
   * machine's own wake up some thirty times a second in every process.
   */
  private static long waits(long process) throws IOException {
    long count = 0;
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + process + "/task"))) {
      for (Path task : tasks.toList()) {
        String name = Files.readString(task.resolve("comm"));
        if (name.startsWith("pando") || name.startsWith("grpc")) {
          count += waits(task);
        }
      }
    }
    return count;
  }

  private static long waits(Path task) throws IOException {
    try {
      return Files.readAllLines(task.resolve("status")).stream()
          .filter(line -> line.startsWith("voluntary_ctxt_switches:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .sum();
    } catch (NoSuchFileException ended) {
      return 0;
    }
  }

  /**
   * A wake-up is a moment in which any of these threads ran: what a beat makes runs within one,
   * from thread to thread.
   */
  @Test
  void idleSession() throws IOException, InterruptedException {
    final int seconds = 10;
    final int moments = 10; // a second
    List<String> command =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                IdleSession.class.getName()));
    command.addAll(world.ensemble.endpoints());
    Process idle =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    assertTrue(idle.inputReader().readLine().startsWith("idle"));
    Thread.sleep(1000);
    int wakeUps = 0;
    long before = waits(idle.pid());
    assertTrue(before > 0, "there are no such threads");
    for (int moment = 0; moment < seconds * moments; moment++) {
      Thread.sleep(1000 / moments);
      long now = waits(idle.pid());
      wakeUps += now == before ? 0 : 1;
      before = now;
    }
    idle.outputWriter().close();
    idle.waitFor();
    String said =
        "an idle session wakes up %.1f times a second".formatted((double) wakeUps / seconds);
    System.out.println(said);
    assertTrue(wakeUps < seconds, said);
  }
}
