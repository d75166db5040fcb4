package io.remora.nvme.target;

import static io.remora.nvme.target.Layouts.LE16;
import static io.remora.nvme.target.Layouts.LE32;
import static io.remora.nvme.target.Layouts.LE64;
import static io.remora.nvme.target.Layouts.set8;

import io.remora.block.BlockDevice;
import io.remora.nvme.Nqn;
import java.lang.foreign.MemorySegment;
import java.util.NavigableSet;

/** The structures of Identify, written into 4096 zeroed bytes (NVMe Base 2.0, 5.17; NVM Command Set 1.0, 4.1.5). */
final class IdentifyData {
  static final int BYTES = 4096;
  static final String FIRMWARE = "0.1";
  static final int ANA_GROUP = 1;

  private static final int CSI_DESCRIPTOR = 4;

  private IdentifyData() {}

  /** CNS 01. */
  static void controller(MemorySegment s, Controller controller) {
    Subsystem subsystem = controller.subsystem();
    TargetConfig config = subsystem.target().config();
    Transport.Limits limits = controller.adminQueue().transport().limits();
    boolean discovery = controller.isDiscovery();
    Layouts.text(s, 4, 20, subsystem.config().serial());
    Layouts.text(s, 24, 40, subsystem.config().model());
    Layouts.text(s, 64, 8, FIRMWARE);
    set8(s, 77, Integer.numberOfTrailingZeros(config.maxTransferBytes() >> 12));
    s.set(LE16, 78, (short) controller.id());
    s.set(LE32, 80, Properties.VERSION);
    // Host identifiers of 128 bits, traffic keeps alive.
    s.set(LE32, 96, 1 | 1 << 6);
    set8(s, 111, discovery ? 2 : 1);
    set8(s, 259, Events.MAX_REQUESTS - 1);
    set8(s, 262, ErrorLog.ENTRIES - 1);
    s.set(LE16, 320, (short) (KeepAlive.GRANULARITY_MS / 100));
    s.set(LE16, 514, (short) limits.ioEntries());
    // SGLs, keyed ones with RDMA, offsets into capsules.
    s.set(LE32, 536, 1 | (limits.type() == Port.TransportType.RDMA ? 1 << 2 : 0) | 1 << 20);
    Nqn.write(s, 768, subsystem.nqn());
    if (discovery) {
      s.set(LE32, 92, 1 << Events.Kind.DISCOVERY.bit);
      set8(s, 261, 1 << 2);
    } else {
      ioController(s, limits);
    }
  }

  private static void ioController(MemorySegment s, Transport.Limits limits) {
    // Several controllers, ANA.
    set8(s, 76, 1 << 1 | 1 << 3);
    s.set(LE32, 92, 1 << Events.Kind.NAMESPACE.bit | 1 << Events.Kind.ANA.bit);
    set8(s, 258, AdminCommands.MAX_ABORTS - 1);
    // One firmware slot, read only.
    set8(s, 260, 1 | 1 << 1);
    // SMART per namespace, effects log, log page offsets, logs of supported logs and features.
    set8(s, 261, 1 | 1 << 1 | 1 << 2 | 1 << 5);
    set8(s, 342, 10);
    set8(s, 343, 0x1f);
    s.set(LE32, 344, ANA_GROUP);
    s.set(LE32, 348, 1);
    set8(s, 512, 0x66);
    set8(s, 513, 0x44);
    s.set(LE32, 516, Namespace.MAX_ID);
    // Compare, dataset management, write zeroes, "save" and "select" of features, timestamp, verify, copy.
    s.set(LE16, 520, (short) (1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8));
    // Compare and write, and how long it may be; namespaces may be write protected.
    s.set(LE16, 522, (short) 1);
    s.set(LE16, 532, (short) (FusedPairs.MAX_BLOCKS - 1));
    set8(s, 531, 1);
    // Copy: format 0.
    s.set(LE16, 534, (short) 1);
    // A cache that a flush of one namespace empties.
    set8(s, 525, 1 | 2 << 1);
    s.set(LE32, 540, Namespace.MAX_ID);
    s.set(LE32, 1792, (64 + limits.ioCapsuleBytes()) / 16);
    s.set(LE32, 1796, 1);
    set8(s, 1803, 1);
    // Disconnect.
    s.set(LE16, 1804, (short) 1);
  }

  /** CNS 00. */
  static void namespace(MemorySegment s, Namespace namespace, int maxTransferBytes) {
    BlockDevice device = namespace.device();
    long blocks = device.sizeBytes() >> namespace.blockShift();
    s.set(LE64, 0, blocks);
    s.set(LE64, 8, blocks);
    s.set(LE64, 16, blocks);
    // May be shared by controllers.
    set8(s, 30, 1);
    // Deallocated blocks: not said how they read; write zeroes may deallocate.
    set8(s, 33, 1 << 3);
    s.set(LE32, 92, ANA_GROUP);
    // Copy: the blocks of one range, and of all; the ranges.
    s.set(LE16, 74, (short) (maxTransferBytes >> namespace.blockShift()));
    s.set(LE32, 76, maxTransferBytes >> namespace.blockShift());
    set8(s, 80, CopyCommand.MAX_RANGES);
    set8(s, 99, namespace.writeProtected() ? 1 : 0);
    Layouts.uuid(s, 104, namespace.uuid());
    set8(s, 130, namespace.blockShift());
  }

  /** CNS 08. */
  static void namespaceOfAnySet(MemorySegment s, Namespace namespace) {
    set8(s, 1, 1);
    s.set(LE32, 4, ANA_GROUP);
    set8(s, 8, namespace.writeProtected() ? 1 : 0);
    set8(s, 14, 1);
  }

  /** CNS 02 and 07: identifiers above {@code after}, up to 1024. */
  static void activeNamespaces(MemorySegment s, Subsystem.View view, int after) {
    int count = 0;
    for (int id : view.namespaces().tailMap(after, false).keySet()) {
      if (count == BYTES / 4) {
        return;
      }
      s.set(LE32, 4L * count++, id);
    }
  }

  /** CNS 12 and 13: the controllers from {@code first} on. */
  static void controllers(MemorySegment s, NavigableSet<Integer> ids, int first) {
    int count = 0;
    for (int id : ids.tailSet(first, true)) {
      if (count < BYTES / 2 - 1) {
        count++;
        s.set(LE16, 2L * count, (short) id);
      }
    }
    s.set(LE16, 0, (short) count);
  }

  /** CNS 03: NGUID, UUID, command set. */
  static void descriptors(MemorySegment s, Namespace namespace) {
    set8(s, 0, 2);
    set8(s, 1, 16);
    Layouts.uuid(s, 4, namespace.uuid());
    set8(s, 20, 3);
    set8(s, 21, 16);
    Layouts.uuid(s, 24, namespace.uuid());
    set8(s, 40, CSI_DESCRIPTOR);
    set8(s, 41, 1);
  }
}
