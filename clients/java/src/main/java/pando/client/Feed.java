package pando.client;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What a thread waits for: items in order, and how they end. Thread-safe; waiting costs no
 * wake-ups.
 *
 * <p>After the last item come the {@link PandoException} that ended it or, where it ended well, a
 * {@link NoSuchElementException}; a loop over it just ends.
 */
public class Feed<T> implements Iterable<T> {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<T> items = new ArrayDeque<>();
  private boolean ended;
  private PandoException error;

  Feed() {}

  /** The next item; waits for it. */
  public T take() throws InterruptedException {
    return next(Long.MAX_VALUE);
  }

  /** The next item; null: there is none yet when the timeout has passed. */
  public T poll(Duration timeout) throws InterruptedException {
    return next(timeout.toNanos());
  }

  /** How many items are there to be taken. */
  public int size() {
    lock.lock();
    try {
      return items.size();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for each item. For one thread. */
  @Override
  public Iterator<T> iterator() {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        lock.lock();
        try {
          await(Long.MAX_VALUE);
          if (items.isEmpty() && error != null) {
            throw error.rethrown();
          }
          return !items.isEmpty();
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw PandoException.interrupted();
        } finally {
          lock.unlock();
        }
      }

      @Override
      public T next() {
        try {
          return take();
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw PandoException.interrupted();
        }
      }
    };
  }

  /** An item was taken, and so many are left. */
  void taken(int left) {}

  final void put(Collection<? extends T> more) {
    lock.lock();
    try {
      if (!ended && items.addAll(more)) {
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** After what is there comes this; null: the end. */
  final void end(PandoException error) {
    lock.lock();
    try {
      if (!ended) {
        ended = true;
        this.error = error;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private T next(long nanos) throws InterruptedException {
    T item;
    int left;
    lock.lock();
    try {
      await(nanos);
      item = items.poll();
      left = items.size();
      if (item == null && error != null) {
        throw error.rethrown();
      }
      if (item == null && ended) {
        throw new NoSuchElementException("the feed has ended");
      }
    } finally {
      lock.unlock();
    }
    if (item != null) {
      taken(left);
    }
    return item;
  }

  /** Until there is an item or the end, or the time has passed. */
  private void await(long nanos) throws InterruptedException {
    while (items.isEmpty() && !ended && nanos > 0) {
      nanos = changed.awaitNanos(nanos);
    }
  }
}
