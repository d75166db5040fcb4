package io.remora.nvme.host;

import io.remora.nvme.host.ScriptedTarget.Disk;
import io.remora.nvme.host.ScriptedTarget.Sqe;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The admin and fabrics commands of one connection of a {@link ScriptedTarget}. */
final class ScriptedAdmin {
  private final ScriptedConnection connection;
  private final ScriptedTarget target;
  final ArrayDeque<Sqe> events = new ArrayDeque<>();
  private int cc;
  private int csts;

  ScriptedAdmin(ScriptedConnection connection, ScriptedTarget target) {
    this.connection = connection;
    this.target = target;
  }

  void run(Sqe sqe, byte[] data) {
    switch (sqe.opcode()) {
      case 0x7f -> fabrics(sqe, data);
      case 0x06 -> identify(sqe);
      case 0x02 -> log(sqe);
      case 0x08 -> connection.answer(sqe, 1, 0);
      case 0x09 -> feature(sqe);
      case 0x0c -> events.add(sqe);
      case 0x18 -> connection.answer(sqe, 0, 0);
      default -> connection.answer(sqe, 0, 0x4001);
    }
  }

  private void fabrics(Sqe sqe, byte[] data) {
    switch (sqe.fctype()) {
      case 0 -> {
        int value = sqe.dword(12);
        if (sqe.dword(11) == 0x14) {
          cc = value;
          csts = (cc & 1) | ((cc & 0xc000) != 0 ? 8 : 0);
          target.controllers.put(connection.cntlid, (cc & 1) != 0);
        }
        connection.answer(sqe, 0, 0);
      }
      case 1 -> connect(sqe, ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN));
      case 4 -> connection.answer(sqe, switch (sqe.dword(11)) {
        case 0x00 -> (target.maxEntries - 1L) | 1L << 16 | 15L << 24 | 1L << 37;
        case 0x08 -> 0x00010400;
        case 0x14 -> cc;
        case 0x1c -> csts;
        default -> 0;
      }, 0);
      default -> connection.answer(sqe, 0, 0x4002);
    }
  }

  private void connect(Sqe sqe, ByteBuffer data) {
    int queueId = sqe.dword(10) >>> 16;
    int entries = (sqe.dword(11) & 0xffff) + 1;
    boolean withoutFlowControl = (sqe.dword(11) >>> 16 & 4) != 0;
    int cntlid = data.getShort(16) & 0xffff;
    String nqn = text(data, 256);
    String expected = target.discovery ? HostOptions.DISCOVERY_NQN : ScriptedTarget.NQN;
    if (target.connectStatus != 0) {
      connection.answer(sqe, 0, target.connectStatus);
      return;
    }
    if (!nqn.equals(expected) || !text(data, 512).startsWith("nqn.")) {
      connection.answer(sqe, 256 | 1 << 16, 0x4182);
      return;
    }
    if (queueId == 0) {
      cntlid = target.nextCntlid++;
      target.controllers.put(cntlid, false);
    } else if (!target.controllers.getOrDefault(cntlid, false) || entries > target.maxEntries) {
      connection.answer(sqe, 16 | 1 << 16, 0x4182);
      return;
    }
    connection.joined(queueId, cntlid, entries, withoutFlowControl);
    connection.answer(sqe, cntlid, 0);
  }

  private void feature(Sqe sqe) {
    if (sqe.dword(10) == 7) {
      int queues = Math.min(target.grantedQueues, (sqe.dword(11) & 0xffff) + 1) - 1;
      connection.answer(sqe, queues | (long) queues << 16, 0);
    } else {
      connection.answer(sqe, 0, 0);
    }
  }

  private void identify(Sqe sqe) {
    ByteBuffer data = ScriptedConnection.buffer(4096);
    int cns = sqe.dword(10) & 0xff;
    Disk disk = target.disks.get(sqe.nsid());
    switch (cns) {
      case 0 -> {
        if (disk != null) {
          data.putLong(0, disk.claimedBytes >> disk.shift).putLong(8, disk.claimedBytes >> disk.shift)
              .put(130, (byte) disk.shift);
        }
      }
      case 1 -> controller(data);
      case 2 -> {
        int at = 0;
        for (int nsid : target.disks.tailMap(sqe.nsid(), false).keySet()) {
          if (at < 4096) {
            data.putInt(at, nsid);
            at += 4;
          }
        }
      }
      case 3 -> {
        if (disk == null) {
          connection.answer(sqe, 0, 0x400b);
          return;
        }
        data.put(0, (byte) 3).put(1, (byte) 16).order(ByteOrder.BIG_ENDIAN)
            .putLong(4, disk.uuid.getMostSignificantBits()).putLong(12, disk.uuid.getLeastSignificantBits());
      }
      case 0x13 -> {
        if (!target.listsControllers) {
          connection.answer(sqe, 0, 0x4002);
          return;
        }
        int from = sqe.dword(10) >>> 16;
        int count = 0;
        for (Map.Entry<Integer, Boolean> each : target.controllers.entrySet()) {
          if (each.getKey() >= from) {
            count++;
            data.putShort(2 * count, each.getKey().shortValue());
          }
        }
        data.putShort(0, (short) count);
      }
      default -> {
        connection.answer(sqe, 0, 0x4002);
        return;
      }
    }
    byte[] answer = new byte[sqe.sglLength()];
    data.get(0, answer);
    connection.answerData(sqe, answer);
  }

  private void controller(ByteBuffer data) {
    text(data, 4, "SERIAL", 20);
    text(data, 24, "scripted target", 40);
    text(data, 64, "1", 8);
    data.put(77, (byte) target.mdts).putShort(78, (short) connection.cntlid).putInt(80, 0x00010400)
        .putInt(92, 1 << 8).put(111, (byte) (target.discovery ? 2 : 1)).put(258, (byte) target.acl).put(259, (byte) 3)
        .putShort(320, (short) 10).put(512, (byte) 0x66).put(513, (byte) 0x44)
        .putShort(514, (short) target.maxEntries).putInt(516, 1024).putShort(520, (short) target.oncs)
        .put(525, (byte) 1).putInt(536, 1).putInt(1792, target.ioccsz).putInt(1796, 1);
    data.put(768, (target.discovery ? HostOptions.DISCOVERY_NQN : ScriptedTarget.NQN)
        .getBytes(StandardCharsets.UTF_8));
  }

  private void log(Sqe sqe) {
    int page = sqe.dword(10) & 0xff;
    int length = sqe.sglLength();
    long offset = sqe.qword(12);
    byte[] whole = page == 0x70 ? target.discoveryLog : new byte[4096];
    int from = (int) Math.min(offset, whole.length);
    connection.answerData(sqe, Arrays.copyOfRange(whole, from, from + length));
  }

  /** Sends an event, if the host waits for one. */
  boolean event(int value) {
    @Nullable
    Sqe sqe = events.poll();
    if (sqe != null) {
      connection.answer(sqe, value, 0);
    }
    return sqe != null;
  }

  private static String text(ByteBuffer data, int at) {
    byte[] bytes = new byte[256];
    data.get(at, bytes);
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }

  private static void text(ByteBuffer data, int at, String text, int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) ' ');
    System.arraycopy(text.getBytes(StandardCharsets.UTF_8), 0, bytes, 0, text.length());
    data.put(at, bytes);
  }
}
