package pando.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import pando.v1.PipelineOperation;
import pando.v1.SetRequest;

/** What a server would hardly do on demand. */
class BacklogTest {
  private final Backlog backlog = new Backlog();

  private static Operation<Boolean> operation(int bytes, boolean linearizable) {
    var request = SetRequest.newBuilder().setData(ByteString.copyFrom(new byte[bytes]));
    return new Operation<>(
        PipelineOperation.newBuilder().setSet(request).build(),
        true,
        linearizable,
        Duration.ofSeconds(1),
        (result, header) -> true);
  }

  private void add(int count) {
    IntStream.range(0, count).forEach(i -> backlog.add(operation(0, false)));
  }

  private List<Long> take() {
    return backlog.take().stream().map(Operation::requestId).toList();
  }

  @Test
  void whatIsUnansweredGoesAgainFirstAndInOrder() {
    add(3);
    assertEquals(List.of(1L, 2L, 3L), take());
    add(1);
    backlog.answered(1).fail(PandoException.unavailable("done"));
    backlog.keep(backlog.answered(2));
    backlog.rewind();
    assertEquals(2, backlog.firstOutstanding());
    assertEquals(List.of(2L, 3L, 4L), take());
  }

  @Test
  void whatWasGivenUpDoesNotGoAgain() {
    add(2);
    assertTrue(backlog.take().get(0).cancel(false));
    backlog.rewind();
    assertEquals(List.of(2L), take());
    assertEquals(2, backlog.firstOutstanding());
  }

  @Test
  void anAnswerOutOfOrderIsFound() {
    add(2);
    take();
    var outOfOrder = assertThrows(IllegalStateException.class, () -> backlog.answered(2));
    assertEquals("answer 2 came where 1 was due", outOfOrder.getMessage());
  }

  @Test
  void messagesAreOfOneConsistencyAndBounded() {
    backlog.add(operation(Backlog.MESSAGE_BYTES_MAX, false));
    backlog.add(operation(Backlog.MESSAGE_BYTES_MAX, false));
    backlog.add(operation(0, true));
    add(1);
    for (long id = 1; id <= 4; id++) {
      assertEquals(List.of(id), take());
    }
  }

  @Test
  void fewMessagesAndAThousandOperationsAreUnanswered() {
    for (int message = 0; message < Backlog.MESSAGES_MAX; message++) {
      add(2);
      assertEquals(2, take().size());
    }
    add(Backlog.UNANSWERED_MAX);
    assertEquals(List.of(), take());
    backlog.answered(1);
    assertEquals(List.of(), take());
    backlog.answered(2);
    assertEquals(Backlog.UNANSWERED_MAX - 2 * (Backlog.MESSAGES_MAX - 1), take().size());
    assertEquals(List.of(), take());
  }
}
