package io.remora.nvme.target;

import static io.remora.nvme.target.Layouts.LE16;
import static io.remora.nvme.target.Layouts.LE32;
import static io.remora.nvme.target.Layouts.LE64;
import static io.remora.nvme.target.Layouts.set8;

import io.remora.nvme.Nqn;
import java.lang.foreign.MemorySegment;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** The log pages, whole (NVMe Base 2.0, 5.16; NVMe-oF 1.1, 5.3). */
final class LogPages {
  static final int SUPPORTED_LOGS = 0x00;
  static final int ERRORS = 0x01;
  static final int SMART = 0x02;
  static final int FIRMWARE = 0x03;
  static final int CHANGED_NAMESPACES = 0x04;
  static final int EFFECTS = 0x05;
  static final int ANA = 0x0C;
  static final int FEATURES = 0x12;
  static final int MANAGEMENT = 0x13;
  static final int DISCOVERY = 0x70;

  private static final int DISCOVERY_BYTES = 1024;

  private LogPages() {}

  private static MemorySegment page(int bytes) {
    return MemorySegment.ofArray(new byte[bytes]);
  }

  /** Health: nothing wears out here; what hosts did is counted. */
  static MemorySegment smart(IoCounts counts, long errors, long ageMs) {
    MemorySegment page = page(512);
    set8(page, 3, 100);
    set8(page, 4, 10);
    page.set(LE64, 32, thousands(counts.readBytes()));
    page.set(LE64, 48, thousands(counts.writeBytes()));
    page.set(LE64, 64, counts.reads());
    page.set(LE64, 80, counts.writes());
    page.set(LE64, 128, ageMs / 3_600_000);
    page.set(LE64, 160, counts.mediaErrors());
    page.set(LE64, 176, errors);
    return page;
  }

  /** Thousands of 512 bytes, rounded up. */
  private static long thousands(long bytes) {
    return (bytes + 511_999) / 512_000;
  }

  static MemorySegment firmware(String revision) {
    MemorySegment page = page(512);
    set8(page, 0, 1);
    Layouts.text(page, 8, 8, revision);
    return page;
  }

  /** The changed namespaces, which are forgotten when {@code forget}. */
  static MemorySegment changedNamespaces(BitSet changed, boolean forget) {
    MemorySegment page = page(4096);
    int count = 0;
    for (int id = changed.nextSetBit(1); id >= 0 && count < 1024; id = changed.nextSetBit(id + 1)) {
      page.set(LE32, 4L * count++, id);
    }
    if (forget) {
      changed.clear();
    }
    return page;
  }

  /** One group that holds all namespaces. */
  static MemorySegment ana(Subsystem.View view, boolean groupsOnly) {
    int count = groupsOnly ? 0 : view.namespaces().size();
    // As long as it may become: hosts read what they computed from Identify.
    MemorySegment page = page(16 + 32 + 4 * Namespace.MAX_ID);
    page.set(LE64, 0, view.anaChanges());
    page.set(LE16, 8, (short) 1);
    page.set(LE32, 16, IdentifyData.ANA_GROUP);
    page.set(LE32, 20, count);
    page.set(LE64, 24, view.anaChanges());
    set8(page, 32, view.ana().code());
    int at = 48;
    if (!groupsOnly) {
      for (int id : view.namespaces().keySet()) {
        page.set(LE32, at, id);
        at += 4;
      }
    }
    return page;
  }

  /** What {@code hostNqn}, which asks at {@code asked}, may connect to. */
  static MemorySegment discovery(Target target, String hostNqn, InetSocketAddress asked) {
    long generation = target.generation();
    List<MemorySegment> entries = new ArrayList<>();
    for (Subsystem subsystem : target.subsystems()) {
      if (subsystem.now().allows(hostNqn)) {
        for (Port port : target.ports()) {
          entries.add(entry(subsystem, port, asked));
        }
      }
    }
    MemorySegment page = page((entries.size() + 1) * DISCOVERY_BYTES);
    page.set(LE64, 0, generation);
    page.set(LE64, 8, entries.size());
    for (int i = 0; i < entries.size(); i++) {
      MemorySegment.copy(entries.get(i), 0, page, (i + 1L) * DISCOVERY_BYTES, DISCOVERY_BYTES);
    }
    return page;
  }

  private static MemorySegment entry(Subsystem subsystem, Port port, InetSocketAddress asked) {
    InetSocketAddress address = port.advertised(asked);
    MemorySegment entry = page(DISCOVERY_BYTES);
    set8(entry, 0, port.transport().code);
    set8(entry, 1, address.getAddress() instanceof Inet6Address ? 2 : 1);
    set8(entry, 2, 2);
    entry.set(LE16, 4, (short) port.id());
    entry.set(LE16, 6, (short) FabricsCommands.DYNAMIC);
    entry.set(LE16, 8, (short) 32);
    Layouts.text(entry, 32, 32, Integer.toString(address.getPort()));
    Nqn.write(entry, 256, subsystem.nqn());
    Layouts.text(entry, 512, 256, address.getAddress().getHostAddress());
    if (port.transport() == Port.TransportType.RDMA) {
      // Reliable connected queue pairs, by the connection manager.
      set8(entry, 768, 1);
      set8(entry, 769, port.fabric().code);
      set8(entry, 770, 1);
    }
    return entry;
  }
}
