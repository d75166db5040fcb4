package io.remora.cli;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.cli.terminal.Sizes;
import io.remora.engine.DiskChoice;
import io.remora.nvme.host.HostUri;
import io.remora.nvme.multipath.MultipathUri;
import java.nio.file.Path;
import picocli.CommandLine.TypeConversionException;

/** What {@code bench} and {@code target} take as a device: {@code mem:}, {@code null:}, {@code file:}, {@code nvmf+tcp://}. */
sealed interface DeviceUri {
  /** Memory of this process. */
  record Memory(long sizeBytes) implements DeviceUri {}

  /** Nothing: writes are forgotten, reads give zeros. */
  record Null(long sizeBytes) implements DeviceUri {}

  /** A file or block device; a size above 0 makes a file, or makes it longer. */
  record File(Path path, long sizeBytes) implements DeviceUri {}

  /** A namespace over NVMe/TCP or NVMe/RDMA, by one path or by several. */
  record Remote(HostUri uri) implements DeviceUri {}

  /**
   * Reads one.
   *
   * @throws RemoraException {@link Status#INVALID}
   */
  static DeviceUri parse(String text) {
    if (HostUri.matches(text)) {
      HostUri uri = HostUri.parse(text);
      // What it says of several paths is wrong now or never.
      MultipathUri.check(uri);
      return new Remote(uri);
    }
    int colon = text.indexOf(':');
    String rest = text.substring(colon + 1);
    try {
      return switch (colon < 0 ? "" : text.substring(0, colon)) {
        case "mem" -> new Memory(Sizes.parse(rest));
        case "null" -> new Null(Sizes.parse(rest));
        case "file" -> file(rest);
        default -> throw new RemoraException(Status.INVALID,
            "'" + text
                + "' is no device: mem:SIZE, null:SIZE, file:PATH[:SIZE], nvmf+tcp://HOST:PORT/NQN or nvmf+rdma://HOST:PORT/NQN?provider=NAME");
      };
    } catch (IllegalArgumentException | TypeConversionException e) {
      throw new RemoraException(Status.INVALID, "'" + text + "': " + e.getMessage(), e);
    }
  }

  private static File file(String text) {
    DiskChoice disk = Disks.parse(text);
    return new File(disk.path().toAbsolutePath().normalize(), disk.fileSizeBytes());
  }
}
