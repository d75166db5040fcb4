package io.remora.base.sim;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The files of a machine and how durable they are; changed by {@link MediumEvent}s alone, so that a copy on which the same
 * events are replayed becomes the same. Belongs to the simulation's thread.
 */
final class Medium {
  private final TreeMap<Path, MediumFile> files = new TreeMap<>();

  /** A copy; neither sees what happens to the other from now on. */
  Medium fork() {
    Medium copy = new Medium();
    files.forEach((path, file) -> copy.files.put(path, file.fork()));
    return copy;
  }

  @Nullable
  MediumFile find(Path path) {
    return files.get(path);
  }

  MediumFile get(Path path) {
    MediumFile file = files.get(path);
    if (file == null) {
      throw new RemoraException(Status.NOT_FOUND, path + ": there is no such file");
    }
    return file;
  }

  /** The files' names, in order. */
  List<Path> paths() {
    return List.copyOf(files.keySet());
  }

  /** The largest number that a file has. */
  long lastFileId() {
    return files.values().stream().mapToLong(file -> file.fileId).max().orElse(0);
  }

  /** The space that all files take. */
  long allocatedBytes() {
    long sum = 0;
    for (MediumFile file : files.values()) {
      sum += file.visible().allocatedBytes();
    }
    return sum;
  }

  /** How the end of the process cuts off what is in flight. */
  List<MediumEvent> cuts(SplittableRandom random) {
    List<MediumEvent> cuts = new ArrayList<>();
    for (MediumFile file : files.values()) {
      for (MediumWrite write : file.writesInFlight()) {
        cuts.add(new MediumEvent.Cut(write, PowerLoss.any(MediumFile.sectors(write), random)));
      }
    }
    return cuts;
  }

  void apply(MediumEvent event) {
    switch (event) {
      case MediumEvent.Created(Path path, long fileId, boolean device) ->
        files.put(path, new MediumFile(fileId, device));
      case MediumEvent.Resized(Path path, long sizeBytes) -> get(path).resize(sizeBytes);
      case MediumEvent.Deleted(Path path) -> files.remove(path);
      case MediumEvent.Stored(Path path, long fileId, MemorySegment content) -> {
        MediumFile file = new MediumFile(fileId, false);
        file.resize(content.byteSize());
        file.poked(0, content);
        files.put(path, file);
      }
      case MediumEvent.Submitted(MediumWrite write) -> get(write.path()).submitted(write);
      case MediumEvent.Landed(MediumWrite write, BitSet sectors) -> {
        MediumFile file = target(write);
        if (file != null) {
          file.landed(write, sectors);
        }
      }
      case MediumEvent.Completed(MediumWrite write) -> {
        MediumFile file = target(write);
        if (file != null) {
          file.completed(write);
        }
      }
      case MediumEvent.Cut(MediumWrite write, BitSet sectors) -> {
        MediumFile file = target(write);
        if (file != null) {
          file.cut(write, sectors);
        }
      }
      case MediumEvent.Flushed(Path path, long fileId, long completions) -> {
        MediumFile file = files.get(path);
        if (file != null && file.fileId == fileId) {
          file.flushed(completions);
        }
      }
      case MediumEvent.PowerLost(PowerLoss how, long seed) -> {
        SplittableRandom random = new SplittableRandom(seed);
        files.values().forEach(file -> file.powerLost(how, random));
      }
      case MediumEvent.Poked(Path path, long offset, MemorySegment content) -> get(path).poked(offset, content);
    }
  }

  /** The file that {@code write} was meant for, unless it was deleted meanwhile. */
  private @Nullable MediumFile target(MediumWrite write) {
    MediumFile file = files.get(write.path());
    return file != null && file.fileId == write.fileId() ? file : null;
  }
}
