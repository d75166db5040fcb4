package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.LocalSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A {@code struct msghdr} with one piece of data and control data: descriptors (SCM_RIGHTS). Belongs to one loop. */
final class UnixMessage {
  private static final int HEADER_BYTES = 16;
  private static final int CONTROL_BYTES = 256;
  private static final int CONTROL_LENGTH_AT = 40;

  private final Libc libc;
  private final MemorySegment message;
  private final MemorySegment piece;
  private final MemorySegment address;
  private final MemorySegment control;
  private final int[] descriptors = new int[LocalSocket.MAX_DESCRIPTORS];
  private int count;

  UnixMessage(Libc libc, Arena arena) {
    this.libc = libc;
    this.message = arena.allocate(56, 8);
    this.piece = arena.allocate(16, 8);
    this.address = arena.allocate(128, 8);
    this.control = arena.allocate(CONTROL_BYTES, 8);
    message.set(JAVA_LONG, 16, piece.address());
    message.set(JAVA_LONG, 24, 1);
  }

  /** Room for a socket's address: {@link UnixNames}. */
  MemorySegment address() {
    return address;
  }

  /** Sends. Returns the length or the negated error number. */
  long send(int fd, long from, int length, int[] passed) {
    describe(from, length);
    int some = passed.length;
    int controlBytes = some == 0 ? 0 : HEADER_BYTES + (some * 4 + 7 & -8);
    if (some > 0) {
      control.set(JAVA_LONG, 0, HEADER_BYTES + some * 4L);
      control.set(JAVA_INT, 8, Abi.SOL_SOCKET);
      control.set(JAVA_INT, 12, Abi.SCM_RIGHTS);
      for (int i = 0; i < some; i++) {
        control.set(JAVA_INT, HEADER_BYTES + i * 4L, passed[i]);
      }
    }
    message.set(JAVA_LONG, 32, some == 0 ? 0 : control.address());
    message.set(JAVA_LONG, CONTROL_LENGTH_AT, controlBytes);
    return libc.sendmsg(fd, message.address(), Abi.MSG_NOSIGNAL);
  }

  /** Receives; then {@link #descriptor} tells of it. Returns the length or the negated error number. */
  long receive(int fd, long to, int length) {
    describe(to, length);
    message.set(JAVA_LONG, 32, control.address());
    message.set(JAVA_LONG, CONTROL_LENGTH_AT, CONTROL_BYTES);
    count = 0;
    long result = libc.recvmsg(fd, message.address(), Abi.MSG_CMSG_CLOEXEC);
    if (result >= 0) {
      parse(message.get(JAVA_LONG, CONTROL_LENGTH_AT));
    }
    return result;
  }

  /** How many descriptors came. */
  int descriptors() {
    return count;
  }

  int descriptor(int index) {
    return descriptors[index];
  }

  private void describe(long at, int length) {
    piece.set(JAVA_LONG, 0, at);
    piece.set(JAVA_LONG, 8, length);
  }

  /** What the kernel has written, which it lays out itself: it need not be doubted. */
  private void parse(long bytes) {
    long at = 0;
    while (at + HEADER_BYTES <= bytes) {
      long length = control.get(JAVA_LONG, at);
      if (length < HEADER_BYTES) {
        return;
      }
      if (control.get(JAVA_INT, at + 12) == Abi.SCM_RIGHTS) {
        takeDescriptors(at + HEADER_BYTES, (int) (length - HEADER_BYTES) / 4);
      }
      at += length + 7 & -8;
    }
  }

  private void takeDescriptors(long at, int some) {
    for (int i = 0; i < some; i++) {
      int fd = control.get(JAVA_INT, at + i * 4L);
      if (count < descriptors.length) {
        descriptors[count++] = fd;
      } else {
        libc.close(fd);
      }
    }
  }
}
