package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.StreamListener;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * An NVMe/TCP target of a test: it does what its {@link Script} says, and what a good target does otherwise. Written against the
 * specification with plain byte buffers and none of the production encoders. Lives on one loop.
 */
final class ScriptedTarget {
  /** What it does otherwise than a good target. */
  interface Script {
    /** A command has come with all its data; true when the script has dealt with it. */
    default boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
      return false;
    }

    /** A command has come that asks for R2T or C2HData; true when the script moves the data. */
    default boolean onTransfer(ScriptedConnection connection, Sqe sqe) {
      return false;
    }

    /** The ICResp to send. */
    default void onInitialize(ByteBuffer response) {}

    /** What is sent in place of {@code pdu}. */
    default ByteBuffer onSend(ScriptedConnection connection, ByteBuffer pdu) {
      return pdu;
    }
  }

  /** A submission queue entry. */
  record Sqe(ByteBuffer bytes) {
    int opcode() {
      return bytes.get(0) & 0xff;
    }

    int cid() {
      return bytes.getShort(2) & 0xffff;
    }

    int nsid() {
      return bytes.getInt(4);
    }

    int fctype() {
      return bytes.get(4) & 0xff;
    }

    int sglType() {
      return bytes.get(39) & 0xff;
    }

    int sglLength() {
      return bytes.getInt(32);
    }

    int dword(int n) {
      return bytes.getInt(4 * n);
    }

    long qword(int n) {
      return bytes.getLong(4 * n);
    }
  }

  /** A namespace: bytes in memory. */
  static final class Disk {
    final byte[] bytes;
    final int shift;
    UUID uuid = new UUID(0x1234, 0x5678);
    long claimedBytes;

    Disk(int sizeBytes, int shift) {
      this.bytes = new byte[sizeBytes];
      this.shift = shift;
      this.claimedBytes = sizeBytes;
    }
  }

  static final String NQN = "nqn.2024-01.test:scripted";

  final Loop loop;
  final TreeMap<Integer, Disk> disks = new TreeMap<>();
  final List<ScriptedConnection> connections = new ArrayList<>();
  /** How often each command came, by a short name. */
  final Map<String, Integer> counts = new LinkedHashMap<>();
  Script script = new Script() {
  };
  InetSocketAddress address;

  int maxH2cData = 128 << 10;
  int alignment;
  int mdts = 5;
  int ioccsz = (64 + 8192) / 16;
  int grantedQueues = 64;
  int r2tBytes = 1 << 20;
  int c2hBytes = 1 << 20;
  int maxEntries = 128;
  int acl = 3;
  int oncs = 1 | 1 << 2 | 1 << 3;
  boolean flowControl;
  boolean success = true;
  boolean listsControllers = true;
  boolean discovery;
  byte[] discoveryLog = new byte[1024];
  int connectStatus;
  int nextCntlid = 1;
  /** Controllers that live, with whether they are enabled. */
  final Map<Integer, Boolean> controllers = new LinkedHashMap<>();
  private final StreamListener listener;

  ScriptedTarget(Loop loop, InetSocketAddress at) {
    this.loop = loop;
    this.listener = loop.net().listen(at, accepted -> connections.add(new ScriptedConnection(this, accepted)));
    this.address = listener.localAddress();
    disks.put(1, new Disk(4 << 20, 9));
  }

  /** The first namespace. */
  Disk disk() {
    return disks.firstEntry().getValue();
  }

  void close() {
    listener.close();
    List.copyOf(connections).forEach(ScriptedConnection::close);
  }

  /** Live connections of I/O queues. */
  List<ScriptedConnection> ioConnections() {
    return connections.stream().filter(c -> c.queueId > 0).toList();
  }

  ScriptedConnection adminConnection() {
    return connections.stream().filter(c -> c.queueId == 0).findFirst().orElseThrow();
  }

  int count(String name) {
    return counts.getOrDefault(name, 0);
  }

  /** Carries out an I/O command; gives its status. For reads fills {@code data}. */
  int execute(Sqe sqe, byte[] data) {
    Disk disk = disks.get(sqe.nsid());
    if (disk == null) {
      return 0x400b;
    }
    if (sqe.opcode() == 0x00) {
      return 0;
    }
    if (sqe.opcode() == 0x09) {
      ByteBuffer range = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
      int from = (int) (range.getLong(8) << disk.shift);
      Arrays.fill(disk.bytes, from, from + (range.getInt(4) << disk.shift), (byte) 0);
      return 0;
    }
    long from = sqe.qword(10) << disk.shift;
    int length = ((sqe.dword(12) & 0xffff) + 1) << disk.shift;
    if (from < 0 || from + length > disk.claimedBytes) {
      return 0x4080;
    }
    int at = (int) from;
    switch (sqe.opcode()) {
      case 0x01 -> System.arraycopy(data, 0, disk.bytes, at, length);
      case 0x02 -> System.arraycopy(disk.bytes, at, data, 0, length);
      case 0x05 -> {
        return Arrays.equals(disk.bytes, at, at + length, data, 0, length) ? 0 : 0x4285;
      }
      case 0x08 -> Arrays.fill(disk.bytes, at, at + length, (byte) 0);
      default -> {
        return 0x4001;
      }
    }
    return 0;
  }
}
