package io.remora.nvme.tcp;

import io.remora.nvme.Opcode;
import java.util.random.RandomGenerator;

/** Makes good commands of all kinds that hosts send, to be mutated or not. */
final class FuzzCommands {
  private static final int[] LOGS = {1, 2, 3, 4, 5, 6, 0x0c, 0x70, 0x7f};
  private static final int[] IDENTIFY = {0, 1, 2, 3, 5, 6, 7, 8, 0x10, 0x12, 0x13, 0x1c};
  private static final int[] FEATURES = {1, 2, 4, 5, 6, 7, 8, 0x0b, 0x0f, 0x10, 0x16, 0x80, 0x81, 0x82, 0x84};

  private final RandomGenerator random;
  private int nextCid;

  FuzzCommands(RandomGenerator random) {
    this.random = random;
  }

  private byte[] sqe(int opcode, int nsid) {
    byte[] sqe = TestQueue.sqe(opcode, nsid);
    Pdus.view(sqe).putShort(2, (short) nextCid);
    nextCid = nextCid + 1 & 0x3ff;
    return sqe;
  }

  byte[] connect(int qid, int entries, int keepAliveMs) {
    byte[] sqe = sqe(Opcode.FABRICS, Opcode.CONNECT);
    Pdus.view(sqe).putShort(42, (short) qid).putShort(44, (short) (entries - 1)).put(46, (byte) (4 * random.nextInt(2)))
        .putInt(48, keepAliveMs).putInt(32, 1024).put(39, (byte) 1);
    return sqe;
  }

  byte[] property(boolean set, int offset, int value) {
    byte[] sqe = sqe(Opcode.FABRICS, set ? Opcode.PROPERTY_SET : Opcode.PROPERTY_GET);
    Pdus.view(sqe).put(40, (byte) (offset == 0 ? 1 : 0)).putInt(44, offset).putInt(48, value);
    return sqe;
  }

  byte[] admin() {
    return switch (random.nextInt(16)) {
      case 0, 1, 2 -> identify();
      case 3, 4, 5 -> log();
      case 6, 7 -> {
        byte[] sqe = sqe(Opcode.GET_FEATURES, random.nextInt(3));
        Pdus.view(sqe).putInt(40, FEATURES[random.nextInt(FEATURES.length)] | random.nextInt(4) << 8)
            .putInt(32, random.nextInt(4) == 0 ? 4096 : 0);
        yield sqe;
      }
      case 8 -> {
        byte[] sqe = sqe(Opcode.SET_FEATURES, random.nextInt(3));
        Pdus.view(sqe).putInt(40, FEATURES[random.nextInt(FEATURES.length)]).putInt(44, random.nextInt(70_000));
        yield sqe;
      }
      case 9 -> {
        byte[] sqe = sqe(Opcode.ABORT, 0);
        Pdus.view(sqe).putInt(40, random.nextInt(256) << 16 | random.nextInt(4));
        yield sqe;
      }
      case 10 -> sqe(Opcode.ASYNC_EVENT_REQUEST, 0);
      case 11 -> property(true, 0x14, random.nextInt(4) == 0 ? random.nextInt() : 0x00460001);
      case 12, 13 -> property(false, new int[] {0, 8, 0x14, 0x1c, 0x20, 0x68}[random.nextInt(6)], 0);
      case 14 -> sqe(random.nextInt(256), random.nextInt(3));
      default -> sqe(Opcode.KEEP_ALIVE, 0);
    };
  }

  private byte[] identify() {
    byte[] sqe = sqe(Opcode.IDENTIFY, random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(3));
    Pdus.view(sqe).putInt(40, IDENTIFY[random.nextInt(IDENTIFY.length)]).putInt(32, 4096);
    return sqe;
  }

  private byte[] log() {
    byte[] sqe = sqe(Opcode.GET_LOG_PAGE, random.nextInt(3) == 0 ? -1 : random.nextInt(3));
    int length = 4 * (1 + random.nextInt(random.nextBoolean() ? 128 : 1024));
    Pdus.view(sqe).putInt(40, LOGS[random.nextInt(LOGS.length)] | (length / 4 - 1) << 16).putInt(32, length)
        .putInt(48, random.nextInt(4) == 0 ? 4 * random.nextInt(2048) : 0);
    return sqe;
  }

  /** An I/O command; what it writes, if it does, is {@link #payloadBytes} long. */
  byte[] io() {
    int blocks = 1 + random.nextInt(random.nextInt(8) == 0 ? 64 : 8);
    long slba = random.nextInt(2000);
    return switch (random.nextInt(16)) {
      case 0, 1, 2, 3 -> transfer(Opcode.READ, slba, blocks);
      case 4, 5, 6, 7, 8, 9 -> transfer(Opcode.WRITE, slba, blocks);
      case 10 -> transfer(Opcode.COMPARE, slba, blocks);
      case 11 -> sqe(Opcode.FLUSH, 1);
      case 12 -> range(Opcode.WRITE_ZEROES, slba, blocks);
      case 13 -> range(Opcode.VERIFY, slba, blocks);
      case 14 -> {
        if (random.nextBoolean()) {
          yield copy();
        }
        byte[] sqe = sqe(Opcode.DATASET_MANAGEMENT, 1);
        int ranges = 1 + random.nextInt(4);
        Pdus.view(sqe).putInt(40, ranges - 1).putInt(44, 4).putInt(32, 16 * ranges);
        yield sqe;
      }
      default -> sqe(random.nextInt(256), random.nextInt(3));
    };
  }

  /** Copy: 32 bytes for each range, which say from where; what is sent with it is as the payload falls. */
  private byte[] copy() {
    byte[] sqe = sqe(0x19, 1);
    int ranges = 1 + random.nextInt(4);
    Pdus.view(sqe).putLong(40, random.nextInt(2000)).putInt(48, ranges - 1).putInt(32, 32 * ranges);
    return sqe;
  }

  private byte[] range(int opcode, long slba, int blocks) {
    byte[] sqe = sqe(opcode, 1);
    Pdus.view(sqe).putLong(40, slba).putInt(48, blocks - 1);
    return sqe;
  }

  private byte[] transfer(int opcode, long slba, int blocks) {
    byte[] sqe = range(opcode, slba, blocks);
    Pdus.view(sqe).putInt(32, blocks * 512);
    return sqe;
  }

  /** How much data the host has to send with a command, in bytes. */
  static int payloadBytes(byte[] sqe) {
    boolean out = (sqe[0] & 3) == 1;
    return out ? Pdus.view(sqe).getInt(32) : 0;
  }
}
