package io.remora.nvme.tcp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** Builds PDUs as bytes, right or wrong, without the code under test. */
final class Pdus {
  private Pdus() {}

  static byte[] icReq(int hpda, boolean headerDigest, boolean dataDigest) {
    byte[] bytes = new byte[128];
    ByteBuffer b = view(bytes);
    common(b, 0, 0, 128, 0, 128);
    b.put(10, (byte) hpda).put(11, (byte) ((headerDigest ? 1 : 0) | (dataDigest ? 2 : 0)));
    return bytes;
  }

  /** A PDU with {@code header} (its common part is filled in here), data behind it, and digests as asked. */
  static byte[] pdu(int type, int flags, byte[] header, byte[] data, boolean headerDigest, boolean dataDigest) {
    int hlen = header.length;
    int pdo = hlen + (headerDigest ? 4 : 0);
    boolean ddgst = dataDigest && data.length > 0;
    int plen = pdo + data.length + (ddgst ? 4 : 0);
    byte[] bytes = new byte[plen];
    ByteBuffer b = view(bytes);
    b.put(0, header);
    int allFlags = flags | (headerDigest ? 1 : 0) | (ddgst ? 2 : 0);
    common(b, type, allFlags, hlen, data.length > 0 ? pdo : 0, plen);
    if (headerDigest) {
      b.putInt(hlen, crc(bytes, 0, hlen));
    }
    b.put(pdo, data);
    if (ddgst) {
      b.putInt(pdo + data.length, crc(data, 0, data.length));
    }
    return bytes;
  }

  /** The header of an H2CData, C2HData or R2T. */
  static byte[] transfer(int cccid, int ttag, int offset, int length) {
    byte[] header = new byte[24];
    view(header).putShort(8, (short) cccid).putShort(10, (short) ttag).putInt(12, offset).putInt(16, length);
    return header;
  }

  /** The header of a CapsuleCmd around {@code sqe}. */
  static byte[] capsule(byte[] sqe) {
    byte[] header = new byte[72];
    System.arraycopy(sqe, 0, header, 8, 64);
    return header;
  }

  static void common(ByteBuffer b, int type, int flags, int hlen, int pdo, int plen) {
    b.put(0, (byte) type).put(1, (byte) flags).put(2, (byte) hlen).put(3, (byte) pdo).putInt(4, plen);
  }

  static ByteBuffer view(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  static int crc(byte[] bytes, int from, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, length);
    return (int) crc.getValue();
  }

  /** {@code bytes} with the byte at {@code index} changed. */
  static byte[] with(byte[] bytes, int index, int value) {
    byte[] copy = Arrays.copyOf(bytes, bytes.length);
    copy[index] = (byte) value;
    return copy;
  }
}
