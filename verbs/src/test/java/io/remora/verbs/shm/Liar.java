package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.Doorbell;
import io.remora.base.Local;
import io.remora.base.LocalSocket;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A process that keeps to the handshake and then to nothing: it has the socket and the shared memory of a connection in its hands. Belongs to its loop. */
final class Liar implements LocalSocket.Handler {
  static final int NUMBER = 4711;
  /** Where this end's direction, and the other one, begin in the control memory. */
  static final long OUT = 0;
  static final long IN = Control.BYTES / 2;
  static final long TAIL = 0;
  static final long HAZARD = 64;
  static final long HEAD = 192;
  static final long COMPLETED = 200;
  static final long REFUSED = 208;
  static final long RING = 4096;

  private final Local local;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment scratch = arena.allocate(8192, 8);
  private final LocalSocket socket;
  private final int port;
  private final Doorbell doorbell;
  private final int shownDoorbell;
  /** The victim's, as it came; -1 before. */
  int victimsDoorbell = -1;
  final MemorySegment control;
  final MemorySegment keys;
  final MemorySegment memory;
  final List<Byte> asked = new ArrayList<>();
  boolean accepted;
  boolean ended;

  /** Begins to connect to {@code port} of this machine, with control memory of {@code controlBytes}. On the loop. */
  Liar(Loop loop, int port, long controlBytes) {
    this(loop, port, controlBytes, -1);
  }

  /** The same; shows {@code shownDoorbell} as its doorbell. */
  Liar(Loop loop, int port, long controlBytes, int shownDoorbell) {
    this.local = loop.local();
    this.port = port;
    this.doorbell = local.newDoorbell();
    this.shownDoorbell = shownDoorbell < 0 ? doorbell.descriptor() : shownDoorbell;
    this.control = local.allocate(arena, controlBytes, true);
    this.keys = local.allocate(arena, KeyLayout.BYTES, true);
    this.memory = local.allocate(arena, 4096, true);
    this.socket = local.connect(ShmNames.listener(local, QueuePairType.RC, address()), this);
  }

  private InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private int descriptor(MemorySegment of) {
    return Objects.requireNonNull(local.find(of)).descriptor();
  }

  private void say(int kind, int... descriptors) {
    int length = new Hello(kind, QueuePairType.RC, NUMBER, 16, 16, address(), MemorySegment.NULL).write(scratch);
    socket.send(scratch, 0, length, descriptors);
  }

  /** Sends that message. */
  void send(byte[] bytes, MemorySegment... with) {
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, scratch, 0, bytes.length);
    int[] descriptors = new int[with.length];
    for (int i = 0; i < with.length; i++) {
      descriptors[i] = descriptor(with[i]);
    }
    socket.send(scratch, 0, bytes.length, descriptors);
  }

  /** Puts a header at the beginning of the ring and says that {@code bytes} are there. */
  void fragment(int word, int length, int total, long bytes) {
    control.set(JAVA_INT, OUT + RING, word);
    control.set(JAVA_INT, OUT + RING + 4, length);
    control.set(JAVA_INT, OUT + RING + 8, total);
    Words.setRelease(control, OUT + TAIL, bytes);
  }

  /** Makes a key that leads to piece 1. */
  void key(int key, long address, long length, long offset) {
    long at = KeyLayout.at(key, 0);
    keys.set(JAVA_LONG, at + KeyLayout.ADDRESS, address);
    keys.set(JAVA_LONG, at + KeyLayout.LENGTH, length);
    keys.set(JAVA_LONG, at + KeyLayout.RIGHTS, 0xff);
    keys.set(JAVA_LONG, at + KeyLayout.SEGMENT, 1);
    keys.set(JAVA_LONG, at + KeyLayout.OFFSET, offset);
    Words.setRelease(keys, at + KeyLayout.WORD, KeyLayout.word(key));
  }

  @Override
  public void onConnected() {
    // Other memory stands for the sleep word too: its first number is even.
    say(Hello.REQUEST, descriptor(memory), descriptor(keys), shownDoorbell, descriptor(control));
  }

  @Override
  public void onReadable() {
    for (int length = socket.receive(scratch, 0, 8192); length != 0; length = socket.receive(scratch, 0, 8192)) {
      if (length < 0) {
        ended = true;
        return;
      }
      Hello hello = Hello.read(scratch, length);
      if (hello != null && hello.kind() == Hello.ACCEPT) {
        accepted = true;
        try (Descriptors shown = new Descriptors(local, socket)) {
          victimsDoorbell = shown.take(Descriptors.DOORBELL);
        }
        say(Hello.READY);
      } else {
        asked.add(scratch.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0));
      }
    }
  }

  @Override
  public void onClosed(Status reason) {
    ended = true;
  }

  void close() {
    socket.close();
    doorbell.close();
    if (victimsDoorbell >= 0) {
      local.close(victimsDoorbell);
    }
    arena.close();
  }
}
