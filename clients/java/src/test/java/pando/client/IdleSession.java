package pando.client;

import java.io.IOException;
import java.io.OutputStream;

/** Holds an idle session in a process of its own, and says when. */
final class IdleSession {
  private IdleSession() {}

  public static void main(String[] endpoints) throws IOException {
    try (Session session = Session.connect(String.join(",", endpoints));
        Watch watch = session.watch(Watch.node("/"))) {
      System.out.println("idle since revision " + watch.startRevision());
      System.in.transferTo(OutputStream.nullOutputStream()); // until the test is done
    }
  }
}
