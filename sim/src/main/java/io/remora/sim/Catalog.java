package io.remora.sim;

import io.remora.engine.VolumeInfo;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which volumes there may be, and how large they may be: an answered command holds, one that was cut off or refused has happened wholly or
 * not at all. Belongs to the simulation's thread.
 */
final class Catalog {
  /** The size of a volume that is not there. */
  static final long ABSENT = 0;

  private final Map<String, Set<Long>> sizes = new LinkedHashMap<>();

  /** A command begins that gives {@code volume} another size; {@link #ABSENT}: that deletes it. */
  void begin(String volume, long sizeBytes) {
    sizes.computeIfAbsent(volume, name -> new LinkedHashSet<>(Set.of(ABSENT))).add(sizeBytes);
  }

  /** It was answered with success. */
  void done(String volume, long sizeBytes) {
    sizes.put(volume, new LinkedHashSet<>(Set.of(sizeBytes)));
  }

  /** The node shows {@code volumes}, and no command is under way. */
  void check(Collection<VolumeInfo> volumes) {
    Map<String, Long> found = new LinkedHashMap<>();
    volumes.forEach(volume -> found.put(volume.name(), volume.sizeBytes()));
    sizes.forEach((name, possible) -> {
      long size = found.getOrDefault(name, ABSENT);
      if (!possible.contains(size)) {
        throw new AssertionError("volume " + name + (size == ABSENT ? " is gone" : " has " + size + " bytes")
            + ", but what was answered leaves only " + possible);
      }
    });
    for (String name : found.keySet()) {
      if (!sizes.containsKey(name)) {
        throw new AssertionError("there is a volume " + name + " that nobody made");
      }
    }
    found.forEach(this::done);
    sizes.replaceAll((name, possible) -> found.containsKey(name) ? possible : new LinkedHashSet<>(Set.of(ABSENT)));
  }
}
