package pando.client;

import io.grpc.Status;
import java.io.Serializable;
import java.util.Map;

/** What a {@link PandoException} is made of. */
record Failure(String reason, Status.Code code, String message, Map<String, String> metadata)
    implements Serializable {
  Failure {
    metadata = Map.copyOf(metadata);
  }

  /** For people; with the reason, where a server said one. */
  String text() {
    return reason.equals("NO_SERVER") ? message : message + " (" + reason + ")";
  }
}
