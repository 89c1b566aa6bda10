package pando.client;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The one thread of a session. All that belongs to the session runs on it, gRPC's callbacks too, so
 * that nothing of it needs a lock. It ends by itself, a while after the session.
 */
final class Loop implements Executor {
  /** Something that will be run, unless it is cancelled before. */
  interface Timer {
    void cancel();
  }

  private static final Duration THREAD_IDLE_MAX = Duration.ofSeconds(30);

  private final ScheduledThreadPoolExecutor executor;
  private final Consumer<Throwable> fault;
  private volatile Thread thread;

  /** {@code fault} is told what no task may throw. */
  Loop(Consumer<Throwable> fault) {
    this.fault = fault;
    executor = new ScheduledThreadPoolExecutor(1, this::makeThread);
    executor.setRemoveOnCancelPolicy(true);
    executor.setKeepAliveTime(THREAD_IDLE_MAX.toNanos(), TimeUnit.NANOSECONDS);
    executor.allowCoreThreadTimeOut(true);
  }

  @Override
  public void execute(Runnable task) {
    executor.execute(guarded(task));
  }

  Timer schedule(Duration delay, Runnable task) {
    Future<?> due = executor.schedule(guarded(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    return () -> due.cancel(false);
  }

  boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  private Thread makeThread(Runnable body) {
    thread = new Thread(body, "pando");
    thread.setDaemon(true);
    return thread;
  }

  private Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException | Error thrown) {
        fault.accept(thrown);
      }
    };
  }
}
