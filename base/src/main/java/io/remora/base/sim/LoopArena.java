package io.remora.base.sim;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/** An arena of a {@link SimLoop}, which knows of it until it is closed. Belongs to the simulation's thread. */
final class LoopArena implements Arena {
  private final Arena arena = Arena.ofConfined();
  private final Set<Arena> open;

  LoopArena(Set<Arena> open) {
    this.open = open;
  }

  @Override
  public MemorySegment allocate(long byteSize, long byteAlignment) {
    return arena.allocate(byteSize, byteAlignment);
  }

  @Override
  public MemorySegment.Scope scope() {
    return arena.scope();
  }

  @Override
  public void close() {
    open.remove(this);
    arena.close();
  }
}
