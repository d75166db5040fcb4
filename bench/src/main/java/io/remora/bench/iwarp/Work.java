package io.remora.bench.iwarp;

import java.util.ArrayList;
import java.util.List;

/**
 * What is moved, and how.
 *
 * @param carrier over which protocol
 * @param direction which way, and by whose doing
 * @param bytes of each operation, and of each buffer
 * @param crc whether frames carry checksums; of no meaning to a plain stream
 * @param callBytes what a plain stream moves by one call at most, in bytes, at least 1; of no meaning to iWARP
 */
record Work(Carrier carrier, Direction direction, int bytes, boolean crc, int callBytes) {
  /** Operations, or buffers, of one connection. */
  static final int DEPTH = 16;

  /** Over which protocol. */
  enum Carrier {
    /** Bytes over TCP. */
    STREAM,
    /** RDMA over TCP. */
    IWARP
  }

  /** Which way, seen from the end that drives. */
  enum Direction {
    /** From it. */
    WRITE,
    /** To it. */
    READ
  }

  /** All over iWARP, those without checksums first. */
  static List<Work> all() {
    List<Work> all = new ArrayList<>();
    for (boolean crc : new boolean[] {false, true}) {
      for (Direction direction : Direction.values()) {
        for (int kib : new int[] {64, 256, 1024}) {
          all.add(new Work(Carrier.IWARP, direction, kib << 10, crc, kib << 10));
        }
      }
    }
    return all;
  }

  /** The same over a plain stream, with {@code call} bytes by one call. */
  Work overStream(int call) {
    return new Work(Carrier.STREAM, direction, bytes, false, call);
  }

  /** For options, such as {@code write-64k} or {@code read-1024k-crc}. */
  String name() {
    return (direction == Direction.WRITE ? "write-" : "read-") + (bytes >> 10) + (crc ? "k-crc" : "k");
  }

  /** For the other process. */
  List<String> words() {
    return List.of(carrier.name(), direction.name(), Integer.toString(bytes), Boolean.toString(crc),
        Integer.toString(callBytes));
  }

  static Work parse(List<String> words) {
    return new Work(Carrier.valueOf(words.get(0)), Direction.valueOf(words.get(1)), Integer.parseInt(words.get(2)),
        Boolean.parseBoolean(words.get(3)), Integer.parseInt(words.get(4)));
  }
}
