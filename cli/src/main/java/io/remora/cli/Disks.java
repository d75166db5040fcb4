package io.remora.cli;

import io.remora.cli.terminal.Sizes;
import io.remora.engine.DiskChoice;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code PATH[:SIZE]} and {@code NAME=PATH[:SIZE]}. */
final class Disks {
  private Disks() {}

  /** A pool and the disk to make it on when it is not there. */
  record NamedDisk(String name, DiskChoice disk) {}

  /** Lets picocli read {@code PATH[:SIZE]}. */
  static final class Converter implements ITypeConverter<DiskChoice> {
    @Override
    public DiskChoice convert(String text) {
      return parse(text);
    }
  }

  /** Lets picocli read {@code NAME=PATH[:SIZE]}. */
  static final class NamedConverter implements ITypeConverter<NamedDisk> {
    @Override
    public NamedDisk convert(String text) {
      int equals = text.indexOf('=');
      if (equals <= 0) {
        throw new TypeConversionException(
            "'" + text + "' is not NAME=PATH[:SIZE], for example main=/var/lib/remora/main.pool:20GiB");
      }
      return new NamedDisk(text.substring(0, equals), parse(text.substring(equals + 1)));
    }
  }

  /** What follows the last colon is a size when it reads as one; a path with such an end can be written with {@code :0} behind. */
  static DiskChoice parse(String text) {
    int colon = text.lastIndexOf(':');
    long size = 0;
    String path = text;
    if (colon >= 0) {
      try {
        size = Sizes.parse(text.substring(colon + 1));
        path = text.substring(0, colon);
      } catch (IllegalArgumentException e) {
        size = 0;
      }
    }
    if (path.isEmpty()) {
      throw new TypeConversionException(
          "'" + text + "' is not PATH[:SIZE], for example /srv/main.pool:20GiB or /dev/vdb");
    }
    try {
      return new DiskChoice(Path.of(path), size);
    } catch (InvalidPathException e) {
      throw new TypeConversionException("'" + path + "' is not a path: " + e.getReason());
    }
  }
}
