package io.remora.nvme.host;

import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32C;

/**
 * The target's end of a connection of {@link LinkFuzz}: answers commands as a target does, with mutated PDUs among the answers, and
 * looks closely at what the host sends: whole and right PDUs only, and no data but that of the command. Shares no code with the host.
 */
final class HostileTarget implements StreamSocket.Handler {
  private record Write(int length, int granted) {}

  private final LinkFuzz world;
  private final RandomGenerator random;
  private final StreamSocket socket;
  private final Map<Integer, Write> writes = new HashMap<>();
  private final Map<Integer, Integer> sent = new HashMap<>();
  private byte[] pending = {};
  private byte[] unsent = {};
  private boolean initialized;
  private boolean headerDigest;
  private boolean dataDigest;
  private boolean termReq;
  private boolean over;
  /** Nothing wrong has been sent yet. */
  boolean clean = true;
  private byte[] held = {};
  private int alignment = 4;

  HostileTarget(LinkFuzz world, StreamListener.Accepted accepted) {
    this.world = world;
    this.random = world.random;
    this.socket = accepted.attach(world.targetLoop, this);
    onReadable();
  }

  @Override
  public void onReadable() {
    while (!over) {
      long count = socket.read(world.in, 0, world.in.byteSize());
      if (count == 0) {
        return;
      }
      if (count < 0) {
        end();
        return;
      }
      byte[] bytes = world.in.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
      byte[] all = Arrays.copyOf(pending, pending.length + bytes.length);
      System.arraycopy(bytes, 0, all, pending.length, bytes.length);
      int at = 0;
      while (all.length - at >= 8 && !over) {
        int plen = view(all).getInt(at + 4);
        LinkFuzz.check(plen >= 24 && plen <= 1 << 20, "the host sends PLEN %d", plen);
        if (all.length - at < plen) {
          break;
        }
        take(Arrays.copyOfRange(all, at, at + plen));
        at += plen;
      }
      pending = Arrays.copyOfRange(all, at, all.length);
    }
  }

  private void take(byte[] pdu) {
    ByteBuffer b = view(pdu);
    int type = pdu[0];
    LinkFuzz.check(!termReq, "the host sends a PDU after its TermReq");
    if (type == 0) {
      LinkFuzz.check(!initialized && pdu.length == 128, "a second ICReq");
      initialized = true;
      byte[] response = new byte[128];
      view(response).put(0, (byte) 1).put(2, (byte) 128).putInt(4, 128).put(11, pdu[11])
          .put(10, (byte) (random.nextInt(8) == 0 ? random.nextInt(32) : 0)).putInt(12, 4096 << random.nextInt(4));
      alignment = (response[10] + 1) * 4;
      say(response, 16);
      headerDigest = (pdu[11] & 1) != 0;
      dataDigest = (pdu[11] & 2) != 0;
      return;
    }
    LinkFuzz.check(initialized, "a PDU of type %d before ICReq", type);
    if (type == 2) {
      LinkFuzz.check(pdu.length <= 152 && pdu[2] == 24 && pdu[1] == 0 && b.getShort(8) >= 1 && b.getShort(8) <= 6,
          "TermReq");
      LinkFuzz.check(!clean, "a TermReq, and nothing was wrong");
      termReq = true;
      return;
    }
    int hlen = type == 4 ? 72 : 24;
    LinkFuzz.check((type == 4 || type == 6) && pdu[2] == hlen, "PDU of type %d, HLEN %d", type, pdu[2]);
    LinkFuzz.check((pdu[1] & 1) == (headerDigest ? 1 : 0), "header digest flag");
    LinkFuzz.check(!headerDigest || b.getInt(hlen) == crc(pdu, 0, hlen), "header digest");
    int header = hlen + (headerDigest ? 4 : 0);
    int pdo = pdu[3] & 0xff;
    int data = 0;
    if (pdu.length > header) {
      data = pdu.length - pdo - (dataDigest ? 4 : 0);
      LinkFuzz.check(pdo >= header && (!clean || pdo % alignment == 0) && data > 0, "PDO %d, %d bytes of data", pdo,
          data);
      LinkFuzz.check((pdu[1] & 2) == (dataDigest ? 2 : 0), "data digest flag");
      LinkFuzz.check(!dataDigest || b.getInt(pdo + data) == crc(pdu, pdo, data), "data digest");
    }
    if (type == 4) {
      capsule(pdu, b, pdo, data);
    } else {
      h2cData(pdu, b, pdo, data);
    }
  }

  private void capsule(byte[] pdu, ByteBuffer b, int pdo, int data) {
    int cid = b.getShort(10) & 0xffff;
    int length = b.getInt(8 + 32);
    int opcode = pdu[8];
    if (data > 0) {
      LinkFuzz.check(opcode == 1 && data == length && pdu[8 + 39] == 1, "data in a capsule");
      content(pdu, pdo, cid, 0, data);
      respond(cid);
    } else if (opcode == 1) {
      LinkFuzz.check(pdu[8 + 39] == 0x5a, "SGL type");
      ask(cid, length, 0);
    } else if (opcode == 2) {
      read(cid, length);
    } else {
      respond(cid);
    }
  }

  private static void content(byte[] pdu, int pdo, int cid, long offset, int length) {
    for (int i = 0; i < length; i++) {
      LinkFuzz.check(pdu[pdo + i] == LinkFuzz.pattern(cid, offset + i),
          "byte %d for command %x is not the command's", offset + i, cid);
    }
  }

  private void ask(int cid, int length, int from) {
    int piece = random.nextInt(3) == 0 ? Math.min(length - from, 4 * (1 + random.nextInt(2000))) : length - from;
    writes.put(cid, new Write(length, from + piece));
    sent.put(cid, from);
    say(transfer(9, 0, cid, cid ^ 0x5555, from, piece, new byte[0]), 5);
  }

  private void h2cData(byte[] pdu, ByteBuffer b, int pdo, int data) {
    int cid = b.getShort(8) & 0xffff;
    long offset = b.getInt(12) & 0xffff_ffffL;
    LinkFuzz.check(b.getInt(16) == data, "H2CData length");
    content(pdu, pdo, cid, offset, data);
    Write write = writes.get(cid);
    int before = sent.getOrDefault(cid, 0);
    if (clean) {
      LinkFuzz.check(write != null && (b.getShort(10) & 0xffff) == (cid ^ 0x5555) && offset == before
          && offset + data <= write.granted && ((pdu[1] & 4) != 0) == (offset + data == write.granted),
          "H2CData for %x at %d+%d", cid, offset, data);
    }
    sent.put(cid, (int) offset + data);
    if (write != null && (pdu[1] & 4) != 0) {
      writes.remove(cid);
      if (offset + data < write.length) {
        ask(cid, write.length, (int) offset + data);
      } else {
        respond(cid);
      }
    }
  }

  private void read(int cid, int length) {
    int at = 0;
    while (at < length) {
      int piece = random.nextInt(3) == 0 ? Math.min(length - at, 4 * (1 + random.nextInt(2000))) : length - at;
      byte[] data = new byte[piece];
      for (int i = 0; i < piece; i++) {
        data[i] = LinkFuzz.pattern(~cid, at + i);
      }
      boolean last = at + piece == length;
      boolean success = last && random.nextBoolean();
      say(transfer(7, (last ? 4 : 0) | (success ? 8 : 0), cid, 0, at, piece, data), 4);
      at += piece;
      if (last && !success) {
        respond(cid);
      }
    }
  }

  private void respond(int cid) {
    byte[] header = new byte[24];
    view(header).putShort(20, (short) cid)
        .putShort(22, (short) (random.nextInt(8) == 0 ? random.nextInt(0x10000) & ~1 : 0));
    say(seal(5, 0, header, new byte[0]), 4);
  }

  private byte[] transfer(int type, int flags, int cid, int tag, int offset, int length, byte[] data) {
    byte[] header = new byte[24];
    view(header).putShort(8, (short) cid).putShort(10, (short) tag).putInt(12, offset).putInt(16, length);
    return seal(type, flags, header, data);
  }

  private byte[] seal(int type, int flags, byte[] header, byte[] data) {
    int pdo = 24 + (headerDigest ? 4 : 0);
    boolean ddgst = dataDigest && data.length > 0;
    byte[] pdu = Arrays.copyOf(header, pdo + data.length + (ddgst ? 4 : 0));
    ByteBuffer b = view(pdu);
    b.put(0, (byte) type).put(1, (byte) (flags | (headerDigest ? 1 : 0) | (ddgst ? 2 : 0))).put(2, (byte) 24)
        .put(3, (byte) (data.length > 0 ? pdo : 0)).putInt(4, pdu.length);
    if (headerDigest) {
      b.putInt(24, crc(pdu, 0, 24));
    }
    b.put(pdo, data);
    if (ddgst) {
      b.putInt(pdo + data.length, crc(pdu, pdo, data.length));
    }
    return pdu;
  }

  /** Sends {@code pdu}, mutated once in {@code oneIn}, now and then after the one that comes next. */
  private void say(byte[] pdu, int oneIn) {
    if (over) {
      return;
    }
    byte[] bytes = pdu;
    if (random.nextInt(oneIn) == 0) {
      bytes = world.mutator.mutate(pdu, headerDigest, dataDigest);
      clean = false;
      world.mutated++;
      if (random.nextInt(16) == 0) {
        world.mutator.interesting(bytes);
      }
      if (random.nextInt(16) == 0) {
        held = bytes;
        return;
      }
    }
    append(bytes);
    append(held);
    held = new byte[0];
    flush();
  }

  private void append(byte[] bytes) {
    int before = unsent.length;
    unsent = Arrays.copyOf(unsent, before + bytes.length);
    System.arraycopy(bytes, 0, unsent, before, bytes.length);
  }

  private void flush() {
    while (unsent.length > 0 && !over) {
      int cut = random.nextInt(4) == 0 ? 1 + random.nextInt(unsent.length) : unsent.length;
      MemorySegment.copy(unsent, 0, world.out, ValueLayout.JAVA_BYTE, 0, cut);
      Sgl list = new Sgl();
      list.add(world.out, 0, cut);
      long count = socket.write(list);
      if (count < 0) {
        end();
        return;
      }
      unsent = Arrays.copyOfRange(unsent, (int) count, unsent.length);
      if (count < cut) {
        return;
      }
    }
    if (random.nextInt(400) == 0 && !over) {
      if (random.nextBoolean()) {
        socket.reset();
      }
      clean = false;
      end();
    }
  }

  @Override
  public void onWritable() {
    flush();
  }

  @Override
  public void onClosed(Status reason) {
    end();
  }

  private void end() {
    if (!over) {
      over = true;
      socket.close();
    }
  }

  private static ByteBuffer view(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int crc(byte[] bytes, int from, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, length);
    return (int) crc.getValue();
  }
}
