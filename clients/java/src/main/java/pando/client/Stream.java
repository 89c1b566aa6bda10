package pando.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.function.Consumer;

/**
 * One streaming call: its messages, and then why it ended. Who cancels it is told nothing more. The
 * session's loop's own.
 */
final class Stream<Q, A> {
  // One to work on, and one on its way.
  private static final int PREFETCHED = 2;

  private final ClientCall<Q, A> call;
  private boolean over;

  Stream(
      Channel channel,
      MethodDescriptor<Q, A> method,
      Consumer<A> message,
      Consumer<PandoException> end) {
    call = channel.newCall(method, CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<A>() {
          @Override
          public void onMessage(A received) {
            if (!over) {
              message.accept(received);
              call.request(1);
            }
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            if (!over) {
              over = true;
              end.accept(
                  status.isOk()
                      ? PandoException.unavailable("the server is going away")
                      : PandoException.of(status, trailers));
            }
          }
        },
        new Metadata());
    call.request(PREFETCHED);
  }

  void send(Q message) {
    if (!over) {
      call.sendMessage(message);
    }
  }

  /** Nothing more will be sent. */
  void finish() {
    if (!over) {
      call.halfClose();
    }
  }

  void cancel() {
    if (!over) {
      over = true;
      call.cancel("of no more use", null);
    }
  }
}
