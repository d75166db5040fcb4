package io.remora.nvme.tcp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32C;

/**
 * Breaks PDUs as the seed decides: bits, bytes, whole fields with values that hurt, cuts, repetitions, splices, garbage. Knows the layout of
 * every PDU and of the commands in capsules, and shares no code with what it tests. Mostly it mends the digests
 * afterwards, so that what is broken gets past them.
 *
 * <p>It keeps a bounded number of PDUs that were {@link #interesting}, to begin with them again.
 */
public final class PduMutator {
  private static final int KEPT = 256;
  private static final int[] IC_FIELDS = {8, 2, 10, 1, 11, 1, 12, 4, 16, 4};
  private static final int[] TRANSFER_FIELDS = {8, 2, 10, 2, 12, 4, 16, 4, 20, 4};
  private static final int[] TERM_FIELDS = {8, 2, 10, 4};
  private static final int[] RESPONSE_FIELDS = {8, 8, 16, 2, 18, 2, 20, 2, 22, 2};
  /** Opcode, flags, CID, NSID (and the type of a fabrics command), metadata, SGL address, length, type, dwords 10 to 15. */
  private static final int[] CAPSULE_FIELDS = {8, 1, 9, 1, 10, 2, 12, 4, 12, 1, 24, 8, 32, 8, 40, 4, 47, 1, 48, 4, 50,
    2,
    52, 4, 48, 8, 56, 4, 60, 4, 64, 4, 68, 4};
  /** In data of a Connect: CNTLID and the first bytes of names; as it happens also where lists of ranges have something. */
  private static final int[] DATA_FIELDS = {0, 4, 4, 4, 8, 8, 16, 2, 20, 4, 24, 8, 256, 4, 512, 4, 77, 1, 514, 2, 516,
    4, 130,
    1, 26, 1, 1792, 4, 1800, 2, 320, 2, 258, 1, 78, 2, 536, 4};

  private final RandomGenerator random;
  private final List<byte[]> kept = new ArrayList<>();
  private String kind = "none";
  private int type;

  /** A mutator that draws from {@code random}. */
  public PduMutator(RandomGenerator random) {
    this.random = random;
  }

  /** What the last {@link #mutate} did, in a word. */
  public String kind() {
    return kind;
  }

  /** The type of the PDU that it did it to. */
  public int type() {
    return type;
  }

  /** Remembers {@code pdu}: it has led to something that was not seen before. */
  public void interesting(byte[] pdu) {
    if (kept.size() < KEPT) {
      kept.add(pdu);
    } else {
      kept.set(random.nextInt(KEPT), pdu);
    }
  }

  /** What is sent in place of {@code pdu}, on a connection with these digests; {@code pdu} stays as it is. */
  public byte[] mutate(byte[] pdu, boolean headerDigest, boolean dataDigest) {
    byte[] from = !kept.isEmpty() && random.nextInt(16) == 0 ? kept.get(random.nextInt(kept.size())) : pdu;
    byte[] bytes = from.clone();
    if (bytes.length < 8) {
      kind = "short";
      type = 0xff;
      return bytes;
    }
    type = bytes[0] & 0xff;
    int hlen = Math.min(headerBytes(type), bytes.length);
    switch (random.nextInt(20)) {
      case 0, 1 -> flip(bytes, bytes.length, 1 + random.nextInt(4));
      case 2, 3, 4 -> flip(bytes, hlen, 1 + random.nextInt(2));
      case 5 -> {
        kind = "byte";
        bytes[random.nextInt(bytes.length)] = (byte) interesting(8, random.nextInt(256));
      }
      case 6, 7 -> field(bytes, 1 + random.nextInt(3), 1);
      case 8 -> field(bytes, 4, 4);
      case 9, 10, 11, 12, 13 -> fieldOfType(bytes);
      case 14 -> dataField(bytes, hlen + (headerDigest ? 4 : 0));
      default -> {
        return reshape(bytes);
      }
    }
    if (random.nextInt(8) != 0) {
      seal(bytes, hlen, headerDigest, dataDigest);
    }
    return bytes;
  }

  private void flip(byte[] bytes, int within, int count) {
    kind = "flip";
    for (int i = 0; i < count; i++) {
      bytes[random.nextInt(Math.max(1, within))] ^= (byte) (1 << random.nextInt(8));
    }
  }

  private void fieldOfType(byte[] bytes) {
    int[] fields = switch (type) {
      case 0, 1 -> IC_FIELDS;
      case 2, 3 -> TERM_FIELDS;
      case 4 -> CAPSULE_FIELDS;
      case 5 -> RESPONSE_FIELDS;
      default -> TRANSFER_FIELDS;
    };
    int which = random.nextInt(fields.length / 2);
    field(bytes, fields[2 * which], fields[2 * which + 1]);
  }

  private void dataField(byte[] bytes, int dataAt) {
    int which = random.nextInt(DATA_FIELDS.length / 2);
    field(bytes, dataAt + DATA_FIELDS[2 * which], DATA_FIELDS[2 * which + 1]);
  }

  private void field(byte[] bytes, int at, int width) {
    kind = "field " + at;
    if (at + width > bytes.length) {
      flip(bytes, bytes.length, 1);
      return;
    }
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    switch (width) {
      case 1 -> b.put(at, (byte) interesting(8, b.get(at)));
      case 2 -> b.putShort(at, (short) interesting(16, b.getShort(at)));
      case 4 -> b.putInt(at, (int) interesting(32, b.getInt(at)));
      default -> b.putLong(at, interesting(64, b.getLong(at)));
    }
  }

  /** A value that hurts, perhaps one near {@code old}. */
  private long interesting(int bits, long old) {
    return switch (random.nextInt(14)) {
      case 0 -> 0;
      case 1 -> -1;
      case 2 -> 1;
      case 3 -> 1L << (bits - 1);
      case 4 -> (1L << (bits - 1)) - 1;
      case 5 -> 1L << random.nextInt(bits);
      case 6 -> (1L << random.nextInt(bits)) - 1;
      case 7 -> old + 1;
      case 8 -> old - 1;
      case 9 -> old + 4L * (random.nextInt(9) - 4);
      case 10 -> old * 2;
      case 11 -> -old;
      case 12 -> 512L * random.nextInt(64);
      default -> random.nextLong();
    };
  }

  private byte[] reshape(byte[] bytes) {
    int length = bytes.length;
    return switch (random.nextInt(7)) {
      case 0 -> {
        kind = "truncate";
        yield Arrays.copyOf(bytes, random.nextInt(length));
      }
      case 1 -> {
        kind = "repeat";
        yield join(bytes, bytes);
      }
      case 2 -> {
        kind = "garbage";
        byte[] garbage = new byte[1 + random.nextInt(64)];
        random.nextBytes(garbage);
        yield random.nextBoolean() ? join(garbage, bytes) : join(bytes, garbage);
      }
      case 3 -> {
        kind = "longer";
        byte[] longer = Arrays.copyOf(bytes, length + 4 * (1 + random.nextInt(200)));
        ByteBuffer.wrap(longer).order(ByteOrder.LITTLE_ENDIAN).putInt(4, longer.length);
        yield longer;
      }
      case 4 -> {
        kind = "shorter";
        byte[] shorter = Arrays.copyOf(bytes, Math.max(8, length - 1 - random.nextInt(64)));
        ByteBuffer.wrap(shorter).order(ByteOrder.LITTLE_ENDIAN).putInt(4, shorter.length);
        yield shorter;
      }
      case 5 -> {
        kind = "splice";
        byte[] other = kept.isEmpty() ? bytes : kept.get(random.nextInt(kept.size()));
        int cut = random.nextInt(length);
        yield cut < other.length
            ? join(Arrays.copyOf(bytes, cut), Arrays.copyOfRange(other, cut, other.length))
            : Arrays.copyOf(bytes, cut);
      }
      default -> {
        kind = "stale";
        yield kept.isEmpty() ? join(bytes, bytes) : kept.get(random.nextInt(kept.size())).clone();
      }
    };
  }

  private static byte[] join(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static int headerBytes(int type) {
    return switch (type) {
      case 0, 1 -> 128;
      case 4 -> 72;
      default -> 24;
    };
  }

  /** Makes the digests right, where there is room for them. */
  private static void seal(byte[] bytes, int hlen, boolean headerDigest, boolean dataDigest) {
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (headerDigest && hlen + 4 <= bytes.length) {
      b.putInt(hlen, crc(bytes, 0, hlen));
    }
    int data = hlen + (headerDigest ? 4 : 0);
    if (dataDigest && (bytes[1] & 2) != 0 && data + 4 < bytes.length) {
      b.putInt(bytes.length - 4, crc(bytes, data, bytes.length - 4 - data));
    }
  }

  private static int crc(byte[] bytes, int from, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, length);
    return (int) crc.getValue();
  }
}
