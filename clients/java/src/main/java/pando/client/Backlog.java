package pando.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a session has been asked and has not answered, in the order of its request ids.
 *
 * <pre>
 * add ──► waiting ──take──► unanswered ──answered──► done
 *            ▲                  │
 *            └──────rewind──────┘  the Pipeline broke: all of it goes again, in order, first
 * </pre>
 *
 * <p>The session's loop's own.
 */
final class Backlog {
  // A session keeps 1,024 answers for repeats, so that no more are under way.
  static final int UNANSWERED_MAX = 1000;
  // A Pipeline's message has at most 4 MiB; one operation of any size always fits.
  static final int MESSAGE_BYTES_MAX = 1 << 20;
  // With so many messages unanswered, what comes gathers for the next one: so it batches. gRPC
  // itself takes any number of messages at once.
  static final int MESSAGES_MAX = 4;

  private Deque<Operation<?>> waiting = new ArrayDeque<>();
  private final Deque<Operation<?>> unanswered = new ArrayDeque<>();
  // The last request id of each message that is not answered whole.
  private final Deque<Long> messageEnds = new ArrayDeque<>();
  private long lastRequestId;

  void add(Operation<?> operation) {
    operation.number(++lastRequestId);
    waiting.add(operation);
  }

  /**
   * The operations of the next message, all of one consistency, because a message has one. None, if
   * nothing waits or too much is unanswered.
   */
  List<Operation<?>> take() {
    List<Operation<?>> taken = new ArrayList<>();
    int bytes = 0;
    while (!waiting.isEmpty()
        && unanswered.size() < UNANSWERED_MAX
        && messageEnds.size() < MESSAGES_MAX) {
      Operation<?> operation = waiting.peek();
      if (!operation.isDone()) { // else its caller has given it up
        bytes += operation.message().getSerializedSize();
        if (!taken.isEmpty()
            && (bytes > MESSAGE_BYTES_MAX || operation.linearizable != taken.get(0).linearizable)) {
          break;
        }
        operation.sent = true;
        unanswered.add(operation);
        taken.add(operation);
      }
      waiting.remove();
    }
    if (!taken.isEmpty()) {
      messageEnds.add(lastRequestId(taken));
    }
    return taken;
  }

  /** No answer to a lower request id is waited for. */
  long firstOutstanding() {
    return Stream.of(unanswered, waiting)
        .filter(queue -> !queue.isEmpty())
        .findFirst()
        .map(queue -> queue.peek().requestId())
        .orElse(lastRequestId + 1);
  }

  /** The operation that an answer is for: they come in order. */
  Operation<?> answered(long requestId) {
    Operation<?> operation = unanswered.remove();
    if (operation.requestId() != requestId) {
      throw new IllegalStateException(
          "answer " + requestId + " came where " + operation.requestId() + " was due");
    }
    if (messageEnds.element() == requestId) {
      messageEnds.remove();
    }
    return operation;
  }

  /** Its answer was none: it goes again with the next rewind. */
  void keep(Operation<?> operation) {
    waiting.addFirst(operation);
  }

  /** What was sent and not answered goes again, before what was not sent. */
  void rewind() {
    waiting = new ArrayDeque<>(outstanding());
    unanswered.clear();
    messageEnds.clear();
  }

  /** All that somebody waits for, in order. */
  List<Operation<?>> outstanding() {
    return Stream.concat(unanswered.stream(), waiting.stream())
        .filter(operation -> !operation.isDone())
        .sorted(Comparator.comparingLong(Operation::requestId))
        .toList();
  }

  private static long lastRequestId(List<Operation<?>> operations) {
    return operations.get(operations.size() - 1).requestId();
  }
}
