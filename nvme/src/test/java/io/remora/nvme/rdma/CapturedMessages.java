package io.remora.nvme.rdma;

import io.remora.nvme.capture.TcpStreams;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Takes the messages of RDMA connections out of captured frames: iWARP on TCP (RFC 5040, 5041, 5044) and RoCE version 2. Stateless. */
final class CapturedMessages {
  /** What kind of message. */
  enum Kind {
    CONNECT, ACCEPT, REJECT, SEND, SEND_WITH_INVALIDATE, WRITE, READ
  }

  /**
   * One message.
   *
   * @param toTarget which way it went
   * @param connection whose it is, the same both ways for iWARP; each way has its own for RoCE
   * @param data private data, or what was sent; nothing for writes and reads
   * @param key that is invalidated, written to or read from
   * @param address of a write or read, as far as one packet tells: that of its first byte
   */
  record Message(Kind kind, boolean toTarget, int connection, MemorySegment data, int key, long address) {}

  private static final int PORT = 4420;
  private static final int ROCE = 4791;
  private static final int MPA_HEADER = 20;

  private static final MemorySegment NONE = MemorySegment.ofArray(new byte[0]);

  private CapturedMessages() {}

  private static MemorySegment segment(byte[] bytes) {
    return MemorySegment.ofArray(bytes);
  }

  static List<Message> iwarp(List<ByteBuffer> frames) {
    List<Message> messages = new ArrayList<>();
    for (TcpStreams.Stream stream : TcpStreams.of(frames)) {
      if (stream.gap()) {
        throw new IllegalStateException("bytes are missing");
      }
      boolean toTarget = stream.targetPort() == PORT;
      int connection = toTarget ? stream.sourcePort() : stream.targetPort();
      ByteBuffer b = stream.bytes();
      int at = mpa(b, toTarget, connection, messages);
      Map<Integer, byte[]> parts = new HashMap<>();
      while (at < b.limit()) {
        int length = b.getShort(at) & 0xffff;
        ddp(b.slice(at + 2, length), toTarget, connection, parts, messages);
        at += (2 + length + 3) / 4 * 4 + 4;
      }
    }
    return messages;
  }

  private static int mpa(ByteBuffer b, boolean toTarget, int connection, List<Message> messages) {
    int flags = b.getShort(16);
    int length = b.getShort(18) & 0xffff;
    int enhanced = (flags & 0x1000) != 0 ? 4 : 0;
    byte[] data = new byte[length - enhanced];
    b.get(MPA_HEADER + enhanced, data);
    messages.add(new Message(toTarget ? Kind.CONNECT : (flags & 0x2000) != 0 ? Kind.REJECT : Kind.ACCEPT, toTarget,
        connection, segment(data), 0, 0));
    return MPA_HEADER + length;
  }

  private static void ddp(ByteBuffer segment, boolean toTarget, int connection, Map<Integer, byte[]> parts,
      List<Message> messages) {
    boolean tagged = (segment.get(0) & 0x80) != 0;
    boolean last = (segment.get(0) & 0x40) != 0;
    int opcode = segment.get(1) & 15;
    if (tagged) {
      if (opcode == 0 && segment.limit() > 14) {
        messages.add(new Message(Kind.WRITE, toTarget, connection, NONE, segment.getInt(2), segment.getLong(6)));
      }
      return;
    }
    if (opcode == 1) {
      messages.add(new Message(Kind.READ, toTarget, connection, NONE, segment.getInt(34), segment.getLong(38)));
      return;
    }
    int number = segment.getInt(10);
    byte[] before = parts.getOrDefault(number, new byte[0]);
    if (before.length != segment.getInt(14)) {
      throw new IllegalStateException("segments are not in order");
    }
    byte[] data = join(before, segment, 18, segment.limit());
    if (last) {
      parts.remove(number);
      messages.add(new Message(opcode == 4 || opcode == 6 ? Kind.SEND_WITH_INVALIDATE : Kind.SEND, toTarget, connection,
          segment(data), segment.getInt(2), 0));
    } else {
      parts.put(number, data);
    }
  }

  static List<Message> roce(List<ByteBuffer> frames) {
    List<Message> messages = new ArrayList<>();
    Map<Integer, byte[]> parts = new HashMap<>();
    for (ByteBuffer frame : frames) {
      if (frame.limit() < 58 || frame.getShort(12) != 0x0800 || frame.get(23) != 17
          || (frame.getShort(36) & 0xffff) != ROCE) {
        continue;
      }
      boolean toTarget = frame.get(33) == 1;
      int end = 14 + (frame.getShort(16) & 0xffff) - 4;
      ByteBuffer b = frame.slice(42, end - 42);
      int queuePair = b.getInt(4) & 0xffffff;
      if (queuePair == 1) {
        management(b, toTarget, messages);
      } else {
        packet(b, toTarget, queuePair, parts, messages);
      }
    }
    return messages;
  }

  private static void management(ByteBuffer b, boolean toTarget, List<Message> messages) {
    int mad = 20;
    int body = mad + 24;
    switch (b.getShort(mad + 16)) {
      // Behind the addresses that the connection manager puts first.
      case 0x10 -> messages.add(new Message(Kind.CONNECT, toTarget, 0, segment(bytes(b, body + 140 + 36, 56)), 0, 0));
      case 0x13 -> messages.add(new Message(Kind.ACCEPT, toTarget, 0, segment(bytes(b, body + 36, 196)), 0, 0));
      case 0x12 ->
        messages
            .add(new Message(Kind.REJECT, toTarget, b.getShort(body + 10), segment(bytes(b, body + 84, 148)), 0, 0));
      default -> {
      }
    }
  }

  private static void packet(ByteBuffer b, boolean toTarget, int queuePair, Map<Integer, byte[]> parts,
      List<Message> messages) {
    int end = b.limit() - (b.get(1) >> 4 & 3);
    switch (b.get(0)) {
      case 0x00, 0x01 -> parts.merge(queuePair, bytes(b, 12, end - 12), CapturedMessages::join);
      case 0x02, 0x04 ->
        messages.add(
            new Message(Kind.SEND, toTarget, queuePair, segment(all(parts, queuePair, bytes(b, 12, end - 12))), 0, 0));
      case 0x16, 0x17 -> messages.add(
          new Message(Kind.SEND_WITH_INVALIDATE, toTarget, queuePair,
              segment(all(parts, queuePair, bytes(b, 16, end - 16))),
              b.getInt(12), 0));
      case 0x06, 0x0A ->
        messages.add(new Message(Kind.WRITE, toTarget, queuePair, NONE, b.getInt(20), b.getLong(12)));
      case 0x0C -> messages.add(new Message(Kind.READ, toTarget, queuePair, NONE, b.getInt(20), b.getLong(12)));
      default -> {
      }
    }
  }

  private static byte[] all(Map<Integer, byte[]> parts, int queuePair, byte[] last) {
    byte[] before = parts.remove(queuePair);
    return before == null ? last : join(before, last);
  }

  private static byte[] join(byte[] a, byte[] b) {
    return join(a, ByteBuffer.wrap(b), 0, b.length);
  }

  private static byte[] join(byte[] before, ByteBuffer b, int from, int to) {
    byte[] all = java.util.Arrays.copyOf(before, before.length + to - from);
    b.get(from, all, before.length, to - from);
    return all;
  }

  private static byte[] bytes(ByteBuffer b, int at, int length) {
    byte[] bytes = new byte[length];
    b.get(at, bytes);
    return bytes;
  }
}
