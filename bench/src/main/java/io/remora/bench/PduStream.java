package io.remora.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.remora.base.Crc32c;
import io.remora.nvme.tcp.Pdu;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Makes the bytes that a host sends. */
final class PduStream {
  private static final int READ = 2;
  private static final int WRITE = 1;

  private final Arena arena;
  private final boolean digests;
  private final Crc32c crc = new Crc32c();

  PduStream(Arena arena, boolean digests) {
    this.arena = arena;
    this.digests = digests;
  }

  /** The first PDU of a connection. */
  MemorySegment icReq() {
    MemorySegment s = arena.allocate(Pdu.IC_BYTES);
    Pdu.common(s, 0, Pdu.IC_REQ, 0, Pdu.IC_BYTES, 0, Pdu.IC_BYTES);
    s.set(JAVA_BYTE, 11, (byte) (digests ? 3 : 0));
    return s;
  }

  /** {@code count} command capsules with {@code dataBytes} of data in each: reads without, writes with. */
  MemorySegment capsules(int count, int dataBytes) {
    int headerBytes = Pdu.CAPSULE_CMD_BYTES + (digests ? Pdu.DIGEST_BYTES : 0);
    int plen = headerBytes + dataBytes + (digests && dataBytes > 0 ? Pdu.DIGEST_BYTES : 0);
    MemorySegment s = arena.allocate((long) count * plen);
    for (int i = 0; i < count; i++) {
      long base = (long) i * plen;
      int flags = digests ? Pdu.FLAG_HDGST | (dataBytes > 0 ? Pdu.FLAG_DDGST : 0) : 0;
      Pdu.common(s, base, Pdu.CAPSULE_CMD, flags, Pdu.CAPSULE_CMD_BYTES, dataBytes > 0 ? headerBytes : 0, plen);
      s.set(JAVA_BYTE, base + 8, (byte) (dataBytes > 0 ? WRITE : READ));
      s.set(Pdu.LE16, base + 10, (short) i);
      s.set(Pdu.LE32, base + 12, 1);
      if (digests) {
        s.set(Pdu.LE32, base + Pdu.CAPSULE_CMD_BYTES, crc.of(s, base, Pdu.CAPSULE_CMD_BYTES));
        if (dataBytes > 0) {
          s.set(Pdu.LE32, base + headerBytes + dataBytes, crc.of(s, base + headerBytes, dataBytes));
        }
      }
    }
    return s;
  }
}
