package io.remora.engine;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a node remembers beside its pools: which pools it has and where they lie, and which volumes are published how. Immutable;
 * each change makes a new one, which is stored whole before it takes effect.
 */
record NodeState(UUID node, List<PoolEntry> pools, List<Publication> publications) {
  /** What is being done to a pool, so that a restart can finish it. */
  enum Phase {
    /** It may be on its disks, or not yet. */
    CREATING(0),
    /** It is there. */
    OPEN(1),
    /** It may be on its disks still, or not any more. */
    DESTROYING(2);

    private final int code;

    Phase(int code) {
      this.code = code;
    }

    /** What stands for it in the file. */
    int code() {
      return code;
    }

    static Phase of(int code) {
      for (Phase phase : values()) {
        if (phase.code == code) {
          return phase;
        }
      }
      throw new IllegalArgumentException("phase " + code);
    }
  }

  /** A pool and where it lies. */
  record PoolEntry(UUID uuid, String name, Phase phase, List<Path> paths) {
    PoolEntry with(Phase next) {
      return new PoolEntry(uuid, name, next, paths);
    }
  }

  /**
   * A published volume.
   *
   * @param nqn under which name
   * @param address where; null: where the node listens
   * @param hosts for which hosts; none named: any
   * @param writeProtected whether a host has said that nobody may write it
   */
  record Publication(UUID volume, String nqn, @Nullable InetSocketAddress address, List<String> hosts,
      boolean writeProtected) {
    Publication withWriteProtected(boolean on) {
      return new Publication(volume, nqn, address, hosts, on);
    }
  }

  /** The state of a new node. */
  static NodeState empty(UUID node) {
    return new NodeState(node, List.of(), List.of());
  }

  NodeState {
    pools = List.copyOf(pools);
    publications = List.copyOf(publications);
  }

  @Nullable
  PoolEntry pool(UUID uuid) {
    return pools.stream().filter(entry -> entry.uuid.equals(uuid)).findFirst().orElse(null);
  }

  @Nullable
  PoolEntry pool(String name) {
    return pools.stream().filter(entry -> entry.name.equals(name)).findFirst().orElse(null);
  }

  @Nullable
  Publication publication(UUID volume) {
    return publications.stream().filter(entry -> entry.volume.equals(volume)).findFirst().orElse(null);
  }

  /** With {@code entry} in the place of the one of the same UUID, or behind the others. */
  NodeState with(PoolEntry entry) {
    List<PoolEntry> changed = new ArrayList<>(pools);
    int at = changed.indexOf(pool(entry.uuid));
    if (at < 0) {
      changed.add(entry);
    } else {
      changed.set(at, entry);
    }
    return new NodeState(node, changed, publications);
  }

  NodeState withoutPool(UUID uuid) {
    return new NodeState(node, pools.stream().filter(entry -> !entry.uuid.equals(uuid)).toList(), publications);
  }

  /** With {@code entry} in the place of the one of the same volume, or behind the others. */
  NodeState with(Publication entry) {
    List<Publication> changed = new ArrayList<>(publications);
    int at = changed.indexOf(publication(entry.volume));
    if (at < 0) {
      changed.add(entry);
    } else {
      changed.set(at, entry);
    }
    return new NodeState(node, pools, changed);
  }

  NodeState withoutPublication(UUID volume) {
    return new NodeState(node, pools, publications.stream().filter(entry -> !entry.volume.equals(volume)).toList());
  }
}
