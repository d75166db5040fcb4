package io.remora.verbs.iwarp;

import io.remora.base.Loop;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import io.remora.verbs.tck.SimulatedFabric;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The other end of a connection, which says what the test wants it to: a plain stream at end 0 of a simulation. Called from the test's thread. */
final class RawPeer implements StreamSocket.Handler {
  private final SimulatedFabric fabric;
  private final Loop loop;
  private final ByteArrayOutputStream heard = new ByteArrayOutputStream();
  private final MemorySegment memory;
  private final Sgl unsent = new Sgl();
  private @Nullable StreamListener listener;
  @Nullable
  StreamSocket socket;
  boolean ended;

  /** One that is being connected, or will be by {@link #socket}. */
  RawPeer(SimulatedFabric fabric) {
    this.fabric = fabric;
    this.loop = fabric.loop(0);
    this.memory = fabric.on(0, () -> loop.newArena().allocate(1 << 20));
  }

  static RawPeer connect(SimulatedFabric fabric, InetSocketAddress address) {
    RawPeer peer = new RawPeer(fabric);
    fabric.run(0, () -> peer.socket = peer.loop.net().connect(address, peer));
    return peer;
  }

  /** One that waits for a connection at {@link #address}. */
  static RawPeer listen(SimulatedFabric fabric) {
    RawPeer peer = new RawPeer(fabric);
    peer.listener = fabric.on(0, () -> peer.loop.net().listen(fabric.address(0), connection -> {
      peer.socket = connection.attach(peer.loop, peer);
    }));
    return peer;
  }

  /** Where it waits. */
  InetSocketAddress address() {
    return Objects.requireNonNull(listener).localAddress();
  }

  /** Sends {@code bytes}, after what it was given before. */
  void send(byte[] bytes) {
    fabric.run(0, () -> {
      MemorySegment copy = loop.newArena().allocate(Math.max(1, bytes.length));
      MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
      unsent.add(copy, 0, bytes.length);
      onWritable();
    });
  }

  /** Ends its stream, after what was sent. */
  void finish() {
    fabric.await(0, "an empty buffer", () -> unsent.totalBytes() == 0);
    fabric.run(0, () -> {
      if (socket != null) {
        socket.shutdownOutput();
      }
    });
  }

  /** What it has heard so far. */
  byte[] heard() {
    return fabric.on(0, heard::toByteArray);
  }

  void awaitHeard(int bytes) {
    fabric.await(0, bytes + " bytes", () -> heard.size() >= bytes || ended);
  }

  void awaitEnd() {
    fabric.await(0, "the end", () -> ended);
  }

  @Override
  public void onConnected() {
    onWritable();
  }

  @Override
  public void onReadable() {
    StreamSocket present = socket;
    while (present != null && !ended) {
      long count = present.read(memory, 0, memory.byteSize());
      if (count == 0) {
        return;
      }
      if (count < 0) {
        ended = true;
      } else {
        heard.writeBytes(memory.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE));
      }
    }
  }

  @Override
  public void onWritable() {
    StreamSocket present = socket;
    if (present != null && unsent.totalBytes() > 0) {
      long taken = present.write(unsent);
      if (taken > 0) {
        unsent.consume(taken);
      }
    }
  }

  @Override
  public void onClosed(Status reason) {
    ended = true;
  }
}
