package io.remora.nvme.host;

import io.remora.nvme.Opcode;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An admin or fabrics command to be sent: what it is, and its memory. Immutable; for control operations, so it may be made anew
 * each time.
 *
 * @param what for messages
 * @param timed whether it must be answered in time; Asynchronous Event Request need not
 */
record AdminCommand(String what, int opcode, int nsid, int cdw10, int cdw11, int cdw12, int cdw13,
    HostCommand.Direction direction, @Nullable MemorySegment data, boolean timed) {
  static final int PROPERTY_CAP = 0x00;
  static final int PROPERTY_VS = 0x08;
  static final int PROPERTY_CC = 0x14;
  static final int PROPERTY_CSTS = 0x1C;

  static final int CNS_NAMESPACE = 0x00;
  static final int CNS_CONTROLLER = 0x01;
  static final int CNS_ACTIVE_NAMESPACES = 0x02;
  static final int CNS_DESCRIPTORS = 0x03;
  static final int CNS_CONTROLLERS = 0x13;

  static final int LOG_CHANGED_NAMESPACES = 0x04;
  static final int LOG_ANA = 0x0C;
  static final int LOG_DISCOVERY = 0x70;

  static final int FEATURE_QUEUES = 0x07;
  static final int FEATURE_EVENTS = 0x0B;
  static final int FEATURE_WRITE_PROTECT = 0x84;

  static final int CONNECT_BYTES = 1024;
  /** Connect: any controller will do. */
  static final int CNTLID_DYNAMIC = 0xffff;
  private static final int ANA_GROUPS_ONLY = 1 << 8;
  private static final int CATTR_NO_FLOW_CONTROL = 1 << 2;

  private static AdminCommand of(String what, int opcode, int nsid, int cdw10, int cdw11, int cdw12, int cdw13) {
    return new AdminCommand(what, opcode, nsid, cdw10, cdw11, cdw12, cdw13, HostCommand.Direction.NONE, null, true);
  }

  private AdminCommand with(HostCommand.Direction way, MemorySegment memory) {
    return new AdminCommand(what, opcode, nsid, cdw10, cdw11, cdw12, cdw13, way, memory, timed);
  }

  /**
   * Connect of queue {@code queueId} (NVMe-oF 1.1, 3.3).
   *
   * @param entries of the submission queue
   * @param data as {@link #connectData} fills it
   */
  static AdminCommand connect(int queueId, int entries, int keepAliveMs, MemorySegment data) {
    int size = entries - 1;
    return of("Connect", Opcode.FABRICS, Opcode.CONNECT, queueId << 16, size | (CATTR_NO_FLOW_CONTROL << 16),
        keepAliveMs,
        0)
        .with(HostCommand.Direction.OUT, data);
  }

  static void connectData(MemorySegment s, UUID hostId, int cntlid, String subsystemNqn, String hostNqn) {
    s.fill((byte) 0);
    NamespaceInfo.writeUuid(s, 0, hostId);
    ControllerInfo.writeU16(s, 16, cntlid);
    MemorySegment.copy(MemorySegment.ofArray(subsystemNqn.getBytes(StandardCharsets.UTF_8)), 0, s, 256,
        subsystemNqn.getBytes(StandardCharsets.UTF_8).length);
    MemorySegment.copy(MemorySegment.ofArray(hostNqn.getBytes(StandardCharsets.UTF_8)), 0, s, 512,
        hostNqn.getBytes(StandardCharsets.UTF_8).length);
  }

  static AdminCommand propertyGet(int offset) {
    int eightBytes = offset == PROPERTY_CAP ? 1 : 0;
    return of("Property Get %02xh".formatted(offset), Opcode.FABRICS, Opcode.PROPERTY_GET, eightBytes, offset, 0, 0);
  }

  static AdminCommand propertySet(int offset, int value) {
    return of("Property Set %02xh".formatted(offset), Opcode.FABRICS, Opcode.PROPERTY_SET, 0, offset, value, 0);
  }

  /** {@code id}: where a list of controllers begins; else 0. */
  static AdminCommand identify(int cns, int nsid, int id, MemorySegment data) {
    return of("Identify %02xh".formatted(cns), Opcode.IDENTIFY, nsid, cns | (id << 16), 0, 0, 0)
        .with(HostCommand.Direction.IN, data);
  }

  /** Get Log Page of {@code data}'s length, from {@code offset} on. */
  static AdminCommand log(int page, long offset, MemorySegment data) {
    int dwords = (int) (data.byteSize() / 4) - 1;
    return of("Get Log Page %02xh".formatted(page), Opcode.GET_LOG_PAGE, page == LOG_DISCOVERY ? 0 : -1,
        page | (dwords << 16), dwords >>> 16, (int) offset, (int) (offset >>> 32))
        .with(HostCommand.Direction.IN, data);
  }

  /** Get Log Page of ANA: the groups without their namespaces, {@code data}'s length. */
  static AdminCommand anaGroups(MemorySegment data) {
    int dwords = (int) (data.byteSize() / 4) - 1;
    return of("Get Log Page 0ch", Opcode.GET_LOG_PAGE, -1, LOG_ANA | ANA_GROUPS_ONLY | (dwords << 16), dwords >>> 16, 0,
        0).with(HostCommand.Direction.IN, data);
  }

  static AdminCommand setFeature(int feature, int value) {
    return of("Set Features %02xh".formatted(feature), Opcode.SET_FEATURES, 0, feature, value, 0, 0);
  }

  /** Set Features of a namespace. */
  static AdminCommand setFeature(int feature, int nsid, int value) {
    return of("Set Features %02xh".formatted(feature), Opcode.SET_FEATURES, nsid, feature, value, 0, 0);
  }

  static AdminCommand abort(int queueId, int cid) {
    return of("Abort", Opcode.ABORT, 0, queueId | (cid << 16), 0, 0, 0);
  }

  static AdminCommand keepAlive() {
    return of("Keep Alive", Opcode.KEEP_ALIVE, 0, 0, 0, 0, 0);
  }

  static AdminCommand asyncEvent() {
    return new AdminCommand("Asynchronous Event Request", Opcode.ASYNC_EVENT_REQUEST, 0, 0, 0, 0, 0,
        HostCommand.Direction.NONE, null, false);
  }

  /** Puts it into {@code command}. */
  void fill(HostCommand command) {
    command.begin(opcode, nsid);
    command.cdw10 = cdw10;
    command.cdw11 = cdw11;
    command.cdw12 = cdw12;
    command.cdw13 = cdw13;
    if (data != null) {
      command.memory(direction, data);
    }
  }
}
