package io.remora.engine;

import io.remora.base.Disk;
import io.remora.base.Loop;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * The node's state, in memory and in its file: {@link #store} returns when a crash would find the new one. Belongs to the
 * node's control loop.
 */
final class StateFile {
  private static final String NAME = "node.state";

  private final Disk disk;
  private final Path path;
  private NodeState now;

  private StateFile(Disk disk, Path path, NodeState now) {
    this.disk = disk;
    this.path = path;
    this.now = now;
  }

  /** Reads the state in {@code folder}; a node without one is new, and gets an identity. */
  static StateFile open(Loop loop, Path folder) {
    Path path = folder.resolve(NAME);
    Optional<byte[]> content = loop.disk().load(path);
    if (content.isPresent()) {
      return new StateFile(loop.disk(), path, NodeStateCodec.decode(content.get(), path));
    }
    StateFile fresh = new StateFile(loop.disk(), path,
        NodeState.empty(new UUID(loop.random().nextLong(), loop.random().nextLong())));
    fresh.store(fresh.now);
    return fresh;
  }

  /** The state. */
  NodeState now() {
    return now;
  }

  /** Makes {@code next} the state. */
  void store(NodeState next) {
    disk.store(path, NodeStateCodec.encode(next));
    now = next;
  }
}
