package pando.client;

import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Drives clients/conformance/ensemble.py: three real servers, and faults. */
final class Ensemble implements AutoCloseable {
  private record Answer(String error, List<String> endpoints, String endpoint, int id) {}

  /** A server that speaks TLS and demands a certificate, and PEM texts. */
  record TlsServer(String endpoint, String ca, String certificate, String key, String other_ca) {}

  private final Process process;
  private final PrintStream in;
  private final BufferedReader out;
  private final Set<Integer> down = new HashSet<>();
  private final List<String> endpoints;

  Ensemble() {
    try {
      process =
          new ProcessBuilder("python3", "../conformance/ensemble.py")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    } catch (IOException notStarted) {
      throw new UncheckedIOException(notStarted);
    }
    in = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    out = process.inputReader();
    endpoints = answer().endpoints();
  }

  @Override
  public void close() {
    in.close();
    process.onExit().join();
  }

  /** All three run. */
  void heal() {
    List.copyOf(down).forEach(this::start);
  }

  List<String> endpoints() {
    return endpoints;
  }

  int leader() {
    return ask("leader").id();
  }

  int follower() {
    return leader() % 3 + 1;
  }

  void kill(int server) {
    down.add(server);
    ask("kill " + server);
  }

  /** All endpoints but that of {@code server}. */
  List<String> rest(int server) {
    List<String> rest = new ArrayList<>(endpoints);
    rest.remove(server - 1);
    return rest;
  }

  /** All endpoints, that of {@code server} first. */
  List<String> first(int server) {
    return before(endpoints.get(server - 1), rest(server));
  }

  static List<String> before(String endpoint, List<String> rest) {
    List<String> all = new ArrayList<>(rest);
    all.add(0, endpoint);
    return all;
  }

  String front(int server) {
    return ask("front " + server).endpoint();
  }

  /** {@code mute}, {@code silence} or {@code cut}. */
  void fault(String name, String front) {
    ask(name + " " + front);
  }

  /** None of the ensemble's: {@code silent}, {@code nobody}, {@code stranger} or {@code http}. */
  String other(String kind) {
    return ask(kind).endpoint();
  }

  TlsServer tls(String name) {
    in.println("tls " + name);
    return new Gson().fromJson(line(), TlsServer.class);
  }

  private void start(int server) {
    ask("start " + server);
    down.remove(server);
  }

  private Answer ask(String command) {
    in.println(command);
    return answer();
  }

  private Answer answer() {
    Answer answer = new Gson().fromJson(line(), Answer.class);
    if (answer.error() != null) {
      throw new AssertionError(answer.error());
    }
    return answer;
  }

  private String line() {
    try {
      return Objects.requireNonNull(out.readLine(), "the ensemble ended");
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
