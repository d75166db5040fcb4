package io.remora.base.sim;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.BitSet;

/** One step in the life of a {@link Medium}. Immutable; replayed on a copy of the medium it has the same effect. */
sealed interface MediumEvent {
  /** A file has come into being, empty. */
  record Created(Path path, long fileId, boolean device) implements MediumEvent {}

  /** A file has another size, durably. */
  record Resized(Path path, long sizeBytes) implements MediumEvent {}

  /** A file is gone, durably. */
  record Deleted(Path path) implements MediumEvent {}

  /** A small file holds {@code content}, durably. */
  record Stored(Path path, long fileId, MemorySegment content) implements MediumEvent {}

  /** A write is in flight. */
  record Submitted(MediumWrite write) implements MediumEvent {}

  /** A part of a write in flight can be read already. */
  record Landed(MediumWrite write, BitSet sectors) implements MediumEvent {}

  /** A write has ended well. */
  record Completed(MediumWrite write) implements MediumEvent {}

  /** A write has failed or was cut off, with a part of it done. */
  record Cut(MediumWrite write, BitSet sectors) implements MediumEvent {}

  /** A flush has completed that covers the first {@code completions} completed writes of the file's life. */
  record Flushed(Path path, long fileId, long completions) implements MediumEvent {}

  /** The power went. */
  record PowerLost(PowerLoss how, long seed) implements MediumEvent {}

  /** A test or a fault has changed bytes under everybody's feet, durably. */
  record Poked(Path path, long offset, MemorySegment content) implements MediumEvent {}
}
