package io.remora.nvme.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What a controller says of itself: Identify CNS 01h and the properties CAP and VS (NVMe Base 2.0, 5.17.2.1). Immutable.
 *
 * @param cntlid its identifier in the subsystem
 * @param serial of the subsystem
 * @param model of the subsystem
 * @param firmware of the subsystem
 * @param subsystemNqn the subsystem it belongs to
 * @param version as in VS: 0x00010400 is 1.4
 * @param discovery whether it is a discovery controller
 * @param multiPath CMIC: the subsystem may have several controllers (bit 1), ANA (bit 3)
 * @param maxTransferBytes the most data of one command (MDTS), {@link Long#MAX_VALUE} for any
 * @param maxEntries the longest queue (CAP.MQES)
 * @param maxCommands the most commands per queue that make sense (MAXCMD), 0 when it does not say
 * @param inCapsuleBytes the most data of an I/O command that may travel in its capsule
 * @param optionalCommands ONCS: compare (bit 0), dataset management (2), write zeroes (3)
 * @param volatileCache whether completed writes need a flush
 * @param keepAliveUnitMs the granularity of keep-alive time-outs (KAS), 0 when there is no keep-alive
 * @param keepAliveByTraffic whether any command counts as a keep-alive (CTRATT TBKAS)
 * @param quiesceMs how long commands may go on after communication was lost (CQT)
 * @param events which asynchronous events it can send (OAES)
 * @param aborts how many Abort commands it takes at once (ACL)
 * @param anaGroups how many ANA groups there may be (NANAGRPID)
 */
public record ControllerInfo(int cntlid, String serial, String model, String firmware, String subsystemNqn, int version,
    boolean discovery, int multiPath, long maxTransferBytes, int maxEntries, int maxCommands, int inCapsuleBytes,
    int optionalCommands, boolean volatileCache, int keepAliveUnitMs, boolean keepAliveByTraffic, int quiesceMs,
    int events, int aborts, int anaGroups) {
  /** OAES and asynchronous event configuration: a namespace's attributes have changed. */
  public static final int EVENT_NAMESPACE = 1 << 8;

  /** As above: the ANA log page has changed. */
  public static final int EVENT_ANA = 1 << 11;

  /** As above, of a discovery controller: the discovery log page has changed. */
  public static final int EVENT_DISCOVERY = 1 << 31;

  static final int BYTES = 4096;
  private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int ONCS_COMPARE = 1;
  private static final int ONCS_DEALLOCATE = 1 << 2;
  private static final int ONCS_WRITE_ZEROES = 1 << 3;
  private static final int TYPE_DISCOVERY = 2;
  private static final int CMIC_CONTROLLERS = 1 << 1;
  private static final int CMIC_ANA = 1 << 3;
  private static final int SGLS_KEYED = 1 << 2;
  private static final int SGLS_OFFSET = 1 << 20;

  /** Whether it has Compare. */
  public boolean hasCompare() {
    return (optionalCommands & ONCS_COMPARE) != 0;
  }

  /** Whether it has Dataset Management. */
  public boolean hasDeallocate() {
    return (optionalCommands & ONCS_DEALLOCATE) != 0;
  }

  /** Whether it has Write Zeroes. */
  public boolean hasWriteZeroes() {
    return (optionalCommands & ONCS_WRITE_ZEROES) != 0;
  }

  /** Whether its subsystem may have several controllers, so that this one can be one of several paths. */
  public boolean hasSiblings() {
    return (multiPath & CMIC_CONTROLLERS) != 0;
  }

  /** Whether it tells how well it reaches its namespaces. */
  public boolean hasAna() {
    return (multiPath & CMIC_ANA) != 0;
  }

  /** Whether it announces namespaces that come, go or change. */
  public boolean announcesNamespaces() {
    return (events & EVENT_NAMESPACE) != 0;
  }

  /**
   * Reads Identify data and checks what this host depends on.
   *
   * @param cap the property CAP
   * @param version the property VS
   * @param cntlid the controller that Connect answered with
   * @param wanted the subsystem that was connected to
   * @param keyedSgls whether it must know keyed SGLs
   */
  static ControllerInfo parse(MemorySegment s, long cap, int version, int cntlid, String wanted, boolean keyedSgls) {
    boolean discovery = wanted.equals(HostOptions.DISCOVERY_NQN) || u8(s, 111) == TYPE_DISCOVERY;
    int pageShift = 12 + (int) ((cap >>> 48) & 15);
    int mdts = u8(s, 77);
    long maxTransfer = mdts == 0 || mdts + pageShift > 40 ? Long.MAX_VALUE : 1L << (mdts + pageShift);
    long capsule = (u32(s, 1792) & 0xffff_ffffL) * 16 - 64;
    // With RDMA, in-capsule data needs SGLs with an offset, which a controller may not know.
    boolean capsules = u16(s, 1800) == 0 && (!keyedSgls || (u32(s, 536) & SGLS_OFFSET) != 0);
    ControllerInfo info = new ControllerInfo(u16(s, 78), text(s, 4, 20), text(s, 24, 40), text(s, 64, 8),
        text(s, 768, 256), version, discovery, u8(s, 76), maxTransfer, (int) (cap & 0xffff) + 1, u16(s, 514),
        capsules ? Math.clamp(capsule, 0, 64 << 10) : 0, u16(s, 520), (u8(s, 525) & 1) != 0, u16(s, 320) * 100,
        (u32(s, 96) & (1 << 6)) != 0, u16(s, 386), u32(s, 92), u8(s, 258) + 1, u32(s, 348));
    info.check(s, cap, cntlid, wanted, capsule, keyedSgls);
    return info;
  }

  private void check(MemorySegment s, long cap, int connected, String wanted, long capsule, boolean keyedSgls) {
    require(cntlid == connected, "Identify says controller %d, Connect said %d", cntlid, connected);
    require(subsystemNqn.isEmpty() || subsystemNqn.equals(wanted) || discovery, "it belongs to subsystem %s, not to %s",
        subsystemNqn, wanted);
    require(((cap >>> 48) & 15) == 0, "its smallest page is %d bytes, more than 4096", 4096L << ((cap >>> 48) & 15));
    require((u32(s, 536) & 3) != 0, "it does not support SGLs");
    require(!keyedSgls || (u32(s, 536) & SGLS_KEYED) != 0, "it does not support keyed SGLs");
    if (!discovery) {
      require(capsule >= 0, "its command capsules are %d bytes long, less than a command", capsule + 64);
      require(maxEntries >= 2, "its queues have %d entry", maxEntries);
    }
  }

  private void require(boolean holds, String format, Object... args) {
    if (!holds) {
      throw new RemoraException(Status.PROTOCOL_ERROR,
          "controller of " + subsystemNqn + " cannot be used: " + format.formatted(args));
    }
  }

  static int u8(MemorySegment s, long at) {
    return s.get(JAVA_BYTE, at) & 0xff;
  }

  static int u16(MemorySegment s, long at) {
    return s.get(LE16, at) & 0xffff;
  }

  static void writeU16(MemorySegment s, long at, int value) {
    s.set(LE16, at, (short) value);
  }

  static int u32(MemorySegment s, long at) {
    return s.get(LE32, at);
  }

  static long u64(MemorySegment s, long at) {
    return s.get(LE64, at);
  }

  /** ASCII that ends with NUL, spaces, or its field. */
  static String text(MemorySegment s, long at, int length) {
    byte[] bytes = s.asSlice(at, length).toArray(JAVA_BYTE);
    int end = 0;
    while (end < length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8).strip();
  }
}
