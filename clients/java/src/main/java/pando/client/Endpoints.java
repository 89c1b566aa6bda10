package pando.client;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Where to look for a server next, and what was wrong where it was looked. */
final class Endpoints {
  // Between two rounds in which none was of use.
  private static final Duration PAUSE_MIN = Duration.ofMillis(20);
  private static final Duration PAUSE_MAX = Duration.ofMillis(500);

  private final List<String> all;
  private final Map<String, PandoException> failures = new HashMap<>();
  private int current;
  private int tried;
  private Duration pause = PAUSE_MIN;

  Endpoints(List<String> all) {
    this.all = all;
  }

  String current() {
    return all.get(current);
  }

  /** The next round begins at once. */
  void wasGood() {
    failures.clear();
    tried = 0;
    pause = PAUSE_MIN;
  }

  /** Goes on to the next one, and says after what pause. */
  Duration leave(PandoException why) {
    failures.put(current(), why);
    current = (current + 1) % all.size();
    if (++tried % all.size() != 0) {
      return Duration.ZERO;
    }
    Duration due = pause;
    pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
    return due;
  }

  /** What was wrong with each that was tried. */
  String failures() {
    return all.stream()
        .filter(endpoint -> failures.containsKey(endpoint) || endpoint.equals(current()))
        .map(endpoint -> endpoint + ": " + failure(endpoint))
        .collect(Collectors.joining("; "));
  }

  private String failure(String endpoint) {
    PandoException failure = failures.get(endpoint);
    return failure == null ? "has not answered yet" : failure.getMessage();
  }
}
