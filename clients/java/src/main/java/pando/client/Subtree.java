package pando.client;

import java.util.List;
import pando.v1.WalkEntry;
import pando.v1.WalkResponse;

/** A subtree, a node before its children, and the one revision that all of it is of. */
public record Subtree(long revision, List<WalkEntry> entries) {
  static Subtree of(List<WalkResponse> parts) {
    return new Subtree(
        parts.get(0).getRevision(),
        parts.stream().flatMap(part -> part.getEntriesList().stream()).toList());
  }
}
