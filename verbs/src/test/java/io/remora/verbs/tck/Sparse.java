package io.remora.verbs.tck;

import io.remora.verbs.Capability;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** Much memory of which little is touched. */
final class Sparse {
  private Sparse() {}

  /** Null when the device registers only memory of its own, of which so much would be real. */
  static @Nullable MemorySegment map(Fabric fabric, End end, long bytes) {
    if (!end.can(Capability.ANY_MEMORY)) {
      return null;
    }
    try {
      Path file = Files.createTempFile("tck", "sparse");
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE,
          StandardOpenOption.DELETE_ON_CLOSE)) {
        return channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, end.arena);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
