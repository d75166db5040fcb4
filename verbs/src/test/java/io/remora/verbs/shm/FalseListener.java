package io.remora.verbs.shm;

import io.remora.base.LocalListener;
import io.remora.base.LocalSocket;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Listens as the provider does, and answers the first that comes with a message and descriptors of the test's. Belongs to its loop. */
final class FalseListener implements LocalSocket.Handler {
  static final int PORT = 45_679;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment scratch = arena.allocate(8192, 8);
  private final MemorySegment answer = arena.allocate(1024, 8);
  private final int answerBytes;
  private final int[] descriptors;
  private final LocalListener listener;
  private @Nullable LocalSocket socket;

  /**
   * On the loop.
   *
   * @param version of the answer
   * @param descriptors that come with it
   */
  FalseListener(Loop loop, int kind, int version, int... descriptors) {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), PORT);
    this.answerBytes = new Hello(kind, QueuePairType.RC, Liar.NUMBER, 16, 16, address, MemorySegment.NULL)
        .write(answer);
    speak(answer, version);
    this.descriptors = descriptors;
    this.listener = loop.local().listen(ShmNames.listener(loop.local(), QueuePairType.RC, address),
        connection -> socket = connection.attach(loop, this));
  }

  /** Makes a message one of that version. */
  static void speak(MemorySegment message, int version) {
    message.set(java.lang.foreign.ValueLayout.JAVA_BYTE, 3, (byte) ('0' + version));
  }

  @Override
  public void onReadable() {
    LocalSocket from = Objects.requireNonNull(socket);
    for (int length = from.receive(scratch, 0, 8192); length > 0; length = from.receive(scratch, 0, 8192)) {
      from.send(answer, 0, answerBytes, descriptors);
    }
  }

  @Override
  public void onClosed(Status reason) {}

  void close() {
    listener.close();
    LocalSocket of = socket;
    if (of != null) {
      of.close();
    }
    arena.close();
  }
}
