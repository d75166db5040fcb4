package io.remora.nvme.tcp;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What a target must make of the bytes that one host has sent, right or wrong, by the specification (NVMe/TCP 1.0, 3.6): which
 * commands came, which data, and where it has to end the connection and with which fatal errors it may. Shares no code with the target.
 */
final class FuzzModel {
  /** A fatal error that may be reported; {@code fei} is -1 when the specification gives it no meaning. */
  record Fatal(int fes, long fei) {}

  /** A command that has no answer yet. */
  static final class Open {
    final byte[] sqe;
    final int opcode;
    final int cid;
    final long sglLength;
    final int sglType;
    byte[] received = {};
    boolean spoilt;
    /** What R2Ts have asked for so far. */
    long granted;
    int tag = -1;
    long sentToHost;
    boolean lastSeen;

    Open(byte[] sqe) {
      ByteBuffer b = Pdus.view(sqe);
      this.sqe = sqe;
      this.opcode = sqe[0] & 0xff;
      this.cid = b.getShort(2) & 0xffff;
      this.sglLength = b.getInt(32) & 0xffff_ffffL;
      this.sglType = sqe[39] & 0xff;
    }

    int directionBits() {
      return (opcode == 0x7f ? sqe[4] : opcode) & 3;
    }

    boolean out() {
      return directionBits() == 1;
    }

    boolean in() {
      return directionBits() == 2;
    }

    long offsetBytes() {
      return Pdus.view(sqe).getLong(40) << 9;
    }

    /** It waits for data that the host owes. */
    boolean owed() {
      return granted > received.length;
    }
  }

  /** Data that a command may bring to the device. */
  interface Writes {
    void mayWrite(int opcode, long offset, byte[] data);
  }

  private static final int MAX_CAPSULE_DATA = 16 << 10;

  private final Writes writes;
  private final int maxH2cData;
  private byte[] pending = {};
  boolean initialized;
  boolean headerDigest;
  boolean dataDigest;
  int alignment = 4;
  /** Where the stream is wrong, what may be said about it; empty while it is right. */
  final Set<Fatal> fatal = new HashSet<>();
  byte[] fatalPdu = {};
  /** The host has ended the association itself, with a TermReq. */
  boolean hostEnded;
  final Map<Integer, ArrayDeque<Open>> open = new HashMap<>();
  final Map<Integer, Open> tags = new HashMap<>();
  /** Identifiers that were given to two commands at a time: whose an answer is cannot be told. */
  final Set<Integer> ambiguous = new HashSet<>();
  int openCount;
  int commands;
  /** The most commands that were open at once. */
  int mostOpen;
  /** Whether the queue may end without a fault in the stream: disconnected, controller disabled, keep alive. */
  boolean disconnects;
  boolean resets;
  boolean mortal;
  /** An R2T may have been on its way when data came for a tag that was not known yet. */
  boolean unsure;

  FuzzModel(Writes writes, int maxH2cData) {
    this.writes = writes;
    this.maxH2cData = maxH2cData;
  }

  /** Bytes that do not make a whole PDU have come. */
  boolean partial() {
    return pending.length > 0;
  }

  boolean isFatal() {
    return !fatal.isEmpty();
  }

  void sent(byte[] bytes) {
    if (isFatal() || hostEnded) {
      return;
    }
    byte[] all = pending.length == 0 ? bytes : join(pending, bytes);
    int at = 0;
    while (!isFatal() && !hostEnded) {
      int used = take(all, at);
      if (used == 0) {
        break;
      }
      at += used;
    }
    pending = at == 0 ? all : Arrays.copyOfRange(all, at, all.length);
  }

  /** Takes the PDU at {@code at}; gives its length, 0 when it is not complete or is wrong. */
  private int take(byte[] all, int at) {
    int have = all.length - at;
    if (have < 8) {
      return 0;
    }
    byte[] pdu = Arrays.copyOfRange(all, at, (int) Math.min(all.length, at + 70_000L));
    ByteBuffer b = Pdus.view(pdu);
    int type = pdu[0] & 0xff;
    long plen = b.getInt(4) & 0xffff_ffffL;
    if (type != 0 && type != 2 && type != 4 && type != 6) {
      return wrong(pdu, new Fatal(1, 0));
    }
    common(pdu, type, pdu[2] & 0xff, pdu[3] & 0xff, plen);
    if (isFatal()) {
      // Whoever looks at the digest first may complain of that.
      if (initialized && headerDigest && type >= 4) {
        int hlen = type == 4 ? 72 : 24;
        if (pdu.length >= hlen + 4 && Pdus.crc(pdu, 0, hlen) != b.getInt(hlen)) {
          fatal.add(new Fatal(3, b.getInt(hlen) & 0xffff_ffffL));
        }
      }
      fatalPdu = pdu;
      return 0;
    }
    return switch (type) {
      case 0 -> initialize(pdu, have);
      case 2 -> {
        hostEnded = have >= plen;
        yield hostEnded ? (int) plen : 0;
      }
      case 4 -> capsule(pdu, have, (int) plen);
      default -> data(pdu, have, plen);
    };
  }

  private void common(byte[] pdu, int type, int hlen, int pdo, long plen) {
    if (type != 2 && (type == 0) == initialized) {
      fatal.add(new Fatal(2, -1));
      return;
    }
    int header = type == 0 ? 128 : type == 4 ? 72 : 24;
    if (hlen != header) {
      fatal.add(new Fatal(1, 2));
    }
    if (type == 0 || type == 2) {
      if (plen < header || plen > (type == 0 ? 128 : 152)) {
        fatal.add(new Fatal(1, 4));
      }
      return;
    }
    int begin = header + (headerDigest ? 4 : 0);
    boolean hasData = type == 6 || plen > begin;
    int flags = (headerDigest ? 1 : 0) | (dataDigest && hasData ? 2 : 0);
    if ((pdu[1] & 3) != flags) {
      fatal.add(new Fatal(1, 1));
    }
    if (plen < begin) {
      fatal.add(new Fatal(1, 4));
    } else if (hasData) {
      if (pdo < begin || pdo % 4 != 0) {
        fatal.add(new Fatal(1, 3));
      }
      long data = plen - pdo - (dataDigest ? 4 : 0);
      if (data <= 0 || (type == 4 && data > MAX_CAPSULE_DATA)) {
        fatal.add(new Fatal(1, 4));
      }
    }
  }

  private int initialize(byte[] pdu, int have) {
    if (have < 128) {
      return 0;
    }
    if (pdu[8] != 0 || pdu[9] != 0) {
      return wrong(pdu, new Fatal(1, 8));
    }
    if ((pdu[10] & 0xff) > 31) {
      return wrong(pdu, new Fatal(1, 10));
    }
    alignment = (pdu[10] + 1) * 4;
    headerDigest = (pdu[11] & 1) != 0;
    dataDigest = (pdu[11] & 2) != 0;
    initialized = true;
    return 128;
  }

  private boolean headerDigestWrong(byte[] pdu, int hlen) {
    int digest = Pdus.view(pdu).getInt(hlen);
    if (headerDigest && Pdus.crc(pdu, 0, hlen) != digest) {
      wrong(pdu, new Fatal(3, digest & 0xffff_ffffL));
    }
    return isFatal();
  }

  private int capsule(byte[] pdu, int have, int plen) {
    int begin = 72 + (headerDigest ? 4 : 0);
    if (have < begin || (headerDigest && headerDigestWrong(pdu, 72)) || have < plen) {
      return 0;
    }
    Open command = new Open(Arrays.copyOfRange(pdu, 8, 72));
    byte[] inside = {};
    if (plen > begin) {
      int pdo = pdu[3] & 0xff;
      int length = plen - pdo - (dataDigest ? 4 : 0);
      inside = Arrays.copyOfRange(pdu, pdo, pdo + length);
      command.spoilt = dataDigest && Pdus.crc(inside, 0, length) != Pdus.view(pdu).getInt(pdo + length);
    }
    add(command, inside);
    return plen;
  }

  private void add(Open command, byte[] inside) {
    ArrayDeque<Open> same = open.computeIfAbsent(command.cid, k -> new ArrayDeque<>());
    if (!same.isEmpty()) {
      ambiguous.add(command.cid);
    }
    same.add(command);
    commands++;
    openCount++;
    mostOpen = Math.max(mostOpen, openCount);
    ByteBuffer sqe = Pdus.view(command.sqe);
    if (command.opcode == 0x7f) {
      int fctype = command.sqe[4] & 0xff;
      disconnects |= fctype == 8;
      resets |= fctype == 0;
      mortal |= fctype == 1 && sqe.getInt(48) != 0;
    }
    mortal |= command.opcode == 0x09 && command.sqe[40] == 0x0f;
    if (command.sglType == 1 && !command.spoilt && command.out()) {
      long from = sqe.getLong(24);
      if (from >= 0 && from <= inside.length && command.sglLength <= inside.length - from) {
        writes.mayWrite(command.opcode, command.offsetBytes(),
            Arrays.copyOfRange(inside, (int) from, (int) (from + command.sglLength)));
      }
    }
  }

  private int data(byte[] pdu, int have, long plen) {
    int begin = 24 + (headerDigest ? 4 : 0);
    if (have < begin || (headerDigest && headerDigestWrong(pdu, 24))) {
      return 0;
    }
    ByteBuffer b = Pdus.view(pdu);
    int pdo = pdu[3] & 0xff;
    long offset = b.getInt(12) & 0xffff_ffffL;
    long length = b.getInt(16) & 0xffff_ffffL;
    if (length == 0) {
      return wrong(pdu, new Fatal(1, 16));
    }
    if (plen != pdo + length + (dataDigest ? 4 : 0)) {
      return wrong(pdu, new Fatal(1, 4));
    }
    if (have < pdo) {
      return 0;
    }
    Open command = tags.get(b.getShort(10) & 0xffff);
    if (command == null || command.cid != (b.getShort(8) & 0xffff) || offset != command.received.length
        || offset + length > command.granted) {
      // Of commands with one identifier nobody here knows which was answered, and so whose tag has ended (seed 64).
      unsure = command == null && (ambiguous.contains(b.getShort(8) & 0xffff)
          || open.values().stream().flatMap(ArrayDeque::stream)
              .anyMatch(c -> c.out() && c.sglType == 0x5a && c.granted < c.sglLength));
      return wrong(pdu, new Fatal(4, -1));
    }
    if (length > maxH2cData) {
      return wrong(pdu, new Fatal(5, -1));
    }
    if (((pdu[1] & 4) != 0) != (offset + length == command.granted)) {
      return wrong(pdu, new Fatal(1, 1));
    }
    if (have < plen) {
      return 0;
    }
    byte[] data = Arrays.copyOfRange(pdu, pdo, pdo + (int) length);
    command.received = join(command.received, data);
    command.spoilt |= dataDigest && Pdus.crc(data, 0, data.length) != b.getInt(pdo + data.length);
    if (offset + length == command.granted) {
      tags.remove(command.tag);
      if (!command.spoilt && command.received.length == command.sglLength) {
        writes.mayWrite(command.opcode, command.offsetBytes(), command.received);
      }
    }
    return (int) plen;
  }

  private int wrong(byte[] pdu, Fatal how) {
    fatal.add(how);
    fatalPdu = pdu;
    return 0;
  }

  /** The oldest command that {@code fits}, of those with that identifier; an error when there is none. */
  Open find(int cid, String what, java.util.function.Predicate<Open> fits) {
    ArrayDeque<Open> same = open.getOrDefault(cid, new ArrayDeque<>());
    for (Open command : same) {
      if (fits.test(command)) {
        return command;
      }
    }
    if (ambiguous.contains(cid) && !same.isEmpty()) {
      return same.getFirst();
    }
    throw new AssertionError("%s for command %d, for which it cannot be%s: %s".formatted(what, cid,
        unsure ? " as far as can be told" : "", same.stream()
            .map(c -> "opcode %x, SGL %x of %d bytes, %d sent, tag %x, %d granted, %d received%s".formatted(c.opcode,
                c.sglType, c.sglLength, c.sentToHost, c.tag, c.granted, c.received.length, c.lastSeen ? ", last" : ""))
            .toList()));
  }

  void answered(Open command) {
    ArrayDeque<Open> same = open.get(command.cid);
    if (same == null || !same.remove(command)) {
      throw new AssertionError("answered twice: " + command.cid);
    }
    if (same.isEmpty()) {
      open.remove(command.cid);
    }
    openCount--;
  }

  private static byte[] join(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
