package test.pando.recipes;

import java.util.concurrent.Callable;

/** Waits for what must come. */
final class Await {
  private static final long TIMEOUT_MS = 60_000;

  private Await() {}

  static void until(String what, Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + TIMEOUT_MS * 1_000_000;
    while (!condition.call()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not in time: " + what);
      }
      Thread.sleep(20);
    }
  }
}
