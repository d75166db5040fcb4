package io.remora.verbs.soft;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.Map;
import java.util.TreeMap;

/** What is open under an object, which therefore must not close. Belongs to its loop. */
public final class Children {
  private final Map<String, Integer> counts = new TreeMap<>();

  /** One more of a kind. */
  public void opened(String kind) {
    counts.merge(kind, 1, Integer::sum);
  }

  /** One less of a kind. */
  public void closed(String kind) {
    counts.computeIfPresent(kind, (name, count) -> count == 1 ? null : count - 1);
  }

  /** Refuses, saying what is open, unless nothing is. */
  public void none(String parent) {
    if (!counts.isEmpty()) {
      StringBuilder text = new StringBuilder(parent).append(" has open: ");
      counts.forEach((kind, count) -> text.append(kind).append(" x ").append(count).append(", "));
      throw new RemoraException(Status.BUSY, text.append("close them first").toString());
    }
  }
}
