package pando.client.quickstart;

import static java.nio.charset.StandardCharsets.UTF_8;

import pando.client.PandoException;
import pando.client.Session;
import pando.client.Watch;
import pando.v1.GetResponse;
import pando.v1.ListEntry;

/** As README.md prints it; the test holds the two together. */
public final class Quickstart {
  private Quickstart() {}

  public static void main(String[] endpoints) throws InterruptedException {
    try (Session session = Session.connect(String.join(",", endpoints));
        Watch watch = session.watch(Watch.subtree("/color"))) {
      session.create("/color", "green".getBytes(UTF_8));
      GetResponse node = session.get("/color");
      session.set("/color", "blue".getBytes(UTF_8), node.getStat().getVersion());
      try {
        session.set("/color", "red".getBytes(UTF_8), node.getStat().getVersion());
      } catch (PandoException.BadVersion late) {
        System.out.println("somebody was faster: " + late.path());
      }
      for (ListEntry child : session.children("/")) {
        System.out.println("child: " + child.getName());
      }
      System.out.println("event: " + watch.take().getPath());
      session.delete("/color");
    }
  }
}
