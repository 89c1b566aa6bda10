package test.pando.recipes;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;

/** The servers under test. Whoever started the tests owns, kills and starts them for us. */
final class Servers {
  private static final Pattern REMOTE = Pattern.compile("remoteserver:\\S*/([0-9.]+:[0-9]+)");

  private Servers() {}

  static String connectString() {
    return System.getProperty("servers");
  }

  /** A started client, connected. Its session outlives a change of server. */
  static CuratorFramework client() throws InterruptedException {
    CuratorFramework client =
        CuratorFrameworkFactory.builder()
            .connectString(connectString())
            .sessionTimeoutMs(10_000)
            .connectionTimeoutMs(10_000)
            .retryPolicy(new ExponentialBackoffRetry(50, 20, 1_000))
            .build();
    client.start();
    client.blockUntilConnected();
    return client;
  }

  /** Kills, with SIGKILL, the server that this client talks to. */
  static void killServerOf(CuratorFramework client) throws Exception {
    Matcher remote = REMOTE.matcher(client.getZookeeperClient().getZooKeeper().toString());
    if (!remote.find()) {
      throw new IllegalStateException("connected to nothing");
    }
    ask("kill " + remote.group(1));
  }

  /** Starts what was killed, and waits until it serves. */
  static void startAll() throws IOException {
    ask("start");
  }

  private static void ask(String request) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", Integer.getInteger("control"))) {
      socket.getOutputStream().write((request + "\n").getBytes());
      String answer = new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
      if (!"done".equals(answer)) {
        throw new IOException(request + ": " + answer);
      }
    }
  }
}
