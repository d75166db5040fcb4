package io.remora.cli.copy;

import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;

/**
 * Copies a stream to a device and back, several requests at a time. Zeros are not moved where that can be avoided. One thread,
 * which blocks.
 */
public final class Copy {
  /** The size of a request in bytes; a multiple of every block size. */
  static final int CHUNK_BYTES = 256 << 10;

  /** What is looked at for zeros when a file is written, in bytes. */
  private static final int HOLE_BYTES = 4096;

  private static final int DEPTH = 16;
  private static final long CLEAR_BYTES = 8 << 20;

  /**
   * What was done.
   *
   * @param bytes how long the stream was
   * @param zeroBytes how much of it was zeros that were not moved
   * @param sha256 the checksum of the stream, as {@code sha256sum} prints it
   */
  public record Summary(long bytes, long zeroBytes, String sha256) {}

  private final Loop loop;
  private final BlockDevice device;
  private final LongConsumer progress;
  private final MessageDigest digest;

  /** Copies to or from {@code device}; {@code progress} hears how many bytes are done. */
  public Copy(Loop loop, BlockDevice device, LongConsumer progress) {
    this.loop = loop;
    this.device = device;
    this.progress = progress;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Writes what {@code source} holds to the beginning of the device, and zeros behind it, durably.
   *
   * @param blank whether the device is known to read as zeros everywhere
   */
  public Summary in(ReadableByteChannel source, boolean blank) throws IOException, InterruptedException {
    long done = 0;
    long zeros = 0;
    try (Window window = new Window(loop, device, DEPTH, CHUNK_BYTES)) {
      long turn = 0;
      while (true) {
        Window.Slot slot = window.take(turn);
        int length = readFully(source, slot.view());
        if (length == 0 || done + length > device.sizeBytes()) {
          window.release(slot);
          if (length == 0) {
            break;
          }
          throw new RemoraException(Status.NO_SPACE, "the source is longer than the " + device.sizeBytes()
              + " bytes of the volume: make it larger with 'remora volume resize'; what was copied so far stays");
        }
        turn++;
        digest.update(slot.view().limit(length));
        int padded = Math.min(roundUp(length), CHUNK_BYTES);
        slot.memory().asSlice(length, padded - length).fill((byte) 0);
        if (!Zeros.all(slot.memory(), 0, length)) {
          window.submit(slot, Op.WRITE, done, padded);
        } else {
          zeros += length;
          if (blank) {
            window.release(slot);
          } else {
            window.submit(slot, Op.WRITE_ZEROES, done, padded);
          }
        }
        done += length;
        progress.accept(done);
      }
      if (!blank) {
        clear(window, turn, roundUp(done));
      }
      window.flush();
    }
    return new Summary(done, zeros, checksum());
  }

  /**
   * Writes all of the device to {@code target}.
   *
   * @param sparse whether it is a new, empty file, which gets holes where the device reads as zeros; else a stream
   */
  public Summary out(FileChannel target, boolean sparse) throws IOException, InterruptedException {
    long size = device.sizeBytes();
    long zeros = 0;
    try (Window window = new Window(loop, device, DEPTH, CHUNK_BYTES)) {
      long chunks = (size + CHUNK_BYTES - 1) / CHUNK_BYTES;
      for (long ahead = 0; ahead < Math.min(DEPTH, chunks); ahead++) {
        read(window, window.take(ahead), ahead, size);
      }
      for (long chunk = 0; chunk < chunks; chunk++) {
        Window.Slot slot = window.take(chunk);
        digest.update(slot.view().limit(slot.used()));
        if (sparse) {
          zeros += writeSparse(target, slot, chunk * CHUNK_BYTES);
        } else {
          writeFully(target, slot.view().limit(slot.used()));
        }
        progress.accept(chunk * CHUNK_BYTES + slot.used());
        if (chunk + DEPTH < chunks) {
          read(window, slot, chunk + DEPTH, size);
        } else {
          window.release(slot);
        }
      }
    }
    if (sparse) {
      setLength(target, size);
      target.force(true);
    }
    return new Summary(size, zeros, checksum());
  }

  private static void read(Window window, Window.Slot slot, long chunk, long size) {
    long offset = chunk * CHUNK_BYTES;
    window.submit(slot, Op.READ, offset, Math.min(CHUNK_BYTES, size - offset));
  }

  /** Makes the rest of the device zero, from {@code offset} on. */
  private void clear(Window window, long firstTurn, long offset) throws InterruptedException {
    long turn = firstTurn;
    for (long at = offset; at < device.sizeBytes(); turn++) {
      long length = Math.min(CLEAR_BYTES, device.sizeBytes() - at);
      window.submit(window.take(turn), Op.WRITE_ZEROES, at, length);
      at += length;
    }
  }

  static long writeSparse(FileChannel file, Window.Slot slot, long offset) throws IOException {
    long zeros = 0;
    int used = slot.used();
    int at = 0;
    while (at < used) {
      int end = at;
      while (end < used && Zeros.all(slot.memory(), end, Math.min(HOLE_BYTES, used - end))) {
        end += Math.min(HOLE_BYTES, used - end);
      }
      zeros += end - at;
      at = end;
      while (end < used && !Zeros.all(slot.memory(), end, Math.min(HOLE_BYTES, used - end))) {
        end += Math.min(HOLE_BYTES, used - end);
      }
      ByteBuffer data = slot.view().limit(end).position(at);
      while (data.hasRemaining()) {
        file.write(data, offset + data.position());
      }
      at = end;
    }
    return zeros;
  }

  static void setLength(FileChannel file, long size) throws IOException {
    if (file.size() < size) {
      file.write(ByteBuffer.wrap(new byte[1]), size - 1);
    }
  }

  private static int readFully(ReadableByteChannel source, ByteBuffer into) throws IOException {
    while (into.hasRemaining() && source.read(into) >= 0) {
      // Pipes give what they have.
    }
    return into.position();
  }

  static void writeFully(FileChannel target, ByteBuffer data) throws IOException {
    while (data.hasRemaining()) {
      target.write(data);
    }
  }

  private long roundUp(long bytes) {
    long block = device.blockSize();
    return (bytes + block - 1) / block * block;
  }

  private int roundUp(int bytes) {
    return (int) roundUp((long) bytes);
  }

  private String checksum() {
    return HexFormat.of().formatHex(digest.digest());
  }
}
