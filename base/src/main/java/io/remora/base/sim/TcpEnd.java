package io.remora.base.sim;

import io.remora.base.Sgl;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection inside its machine's kernel: lives on after the socket that was on top of it. Belongs to the
 * simulation's thread.
 *
 * <p>What is sent goes through {@code unsent} (waits for room at the peer), {@code flight} (on the way) and the peer's {@code
 * received}. Packets travel for different times and still arrive in order: an arrival takes the oldest that is in flight.
 */
final class TcpEnd {
  private sealed interface Packet {
    /** Bytes. */
    record Data(MemorySegment bytes) implements Packet {}

    /** The connection stands, says the side that was called. */
    record Accept() implements Packet {}

    /** The end of the stream. */
    record Fin() implements Packet {}
  }

  /** How much may still arrive on a connection before it breaks; shared by its ends. */
  private static final class Fuse {
    long leftBytes;

    Fuse(long leftBytes) {
      this.leftBytes = leftBytes;
    }
  }

  private final SimNet net;
  private final SimMachine machine;
  private final InetSocketAddress local;
  private final InetSocketAddress remote;
  private final int sendLimit;
  private final int receiveLimit;
  private final ArrayDeque<Packet> unsent = new ArrayDeque<>();
  private final ArrayDeque<Packet> flight = new ArrayDeque<>();
  private final ArrayDeque<MemorySegment> received = new ArrayDeque<>();
  private long unsentBytes;
  private long wireFreeNs;
  private long flightBytes;
  private long receivedBytes;
  private boolean endReceived;
  private boolean endSent;
  private boolean established;
  /** Nobody reads any more: the socket was closed, or the machine died. What was written may still go out. */
  private boolean abandoned;
  private @Nullable Status failure;
  private @Nullable TcpEnd peer;
  private @Nullable SimStream socket;
  private Fuse fuse = new Fuse(Long.MAX_VALUE);

  TcpEnd(SimNet net, SimMachine machine, InetSocketAddress local, InetSocketAddress remote) {
    this.net = net;
    this.machine = machine;
    this.local = local;
    this.remote = remote;
    this.sendLimit = net.bufferBytes();
    this.receiveLimit = net.bufferBytes();
    machine.sockets().add(this);
  }

  /** The other end, on the machine that was called; tells {@code caller} that the connection stands. */
  static TcpEnd accept(TcpEnd caller, SimMachine machine) {
    InetSocketAddress here = caller.remote;
    InetSocketAddress there = caller.local;
    TcpEnd end = new TcpEnd(caller.net, machine, here, there);
    end.peer = caller;
    end.established = true;
    end.fuse = new Fuse(caller.net.breakAfter(caller.machine, machine));
    caller.peer = end;
    caller.fuse = end.fuse;
    end.unsent.add(new Packet.Accept());
    end.pump();
    return end;
  }

  /** Whether its socket has been closed. */
  boolean abandoned() {
    return abandoned;
  }

  SimMachine machine() {
    return machine;
  }

  InetSocketAddress local() {
    return local;
  }

  InetSocketAddress remote() {
    return remote;
  }

  /** Whether the stream to the peer has been ended. */
  boolean endSent() {
    return endSent;
  }

  boolean established() {
    return established;
  }

  /** Why it failed, or null. */
  @Nullable
  Status failure() {
    return failure;
  }

  long receivedBytes() {
    return receivedBytes;
  }

  boolean endReceived() {
    return endReceived;
  }

  /** The machine at the other end; its own while there is none. */
  SimMachine peerMachine() {
    return peer == null ? machine : peer.machine;
  }

  void attach(SimStream newSocket) {
    socket = newSocket;
  }

  /** Takes up to {@code receivedBytes} bytes into {@code target}. */
  void read(MemorySegment target, long offset, long length) {
    for (long done = 0; done < length;) {
      MemorySegment head = received.remove();
      long take = Math.min(length - done, head.byteSize());
      MemorySegment.copy(head, 0, target, offset + done, take);
      if (take < head.byteSize()) {
        received.addFirst(head.asSlice(take));
      }
      done += take;
    }
    receivedBytes -= length;
    if (peer != null) {
      peer.pump();
    }
  }

  /** How many bytes it would take now. */
  long room() {
    return established && !endSent && failure == null ? Math.max(0, sendLimit - unsentBytes - flightBytes) : 0;
  }

  void write(Sgl source, long length) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(length)]);
    source.copyTo(0, bytes, 0, length);
    unsent.add(new Packet.Data(bytes));
    unsentBytes += length;
    pump();
  }

  /** Ends the stream to the peer. */
  void finish() {
    if (!endSent) {
      endSent = true;
      unsent.add(new Packet.Fin());
      pump();
    }
  }

  /** The socket was closed: what was written still goes out, unless there is something unread. */
  void close() {
    if (receivedBytes > 0 || !established) {
      reset();
    } else {
      abandoned = true;
      socket = null;
      finish();
      pump();
    }
  }

  /** The socket was reset. */
  void reset() {
    vanish();
    refuse();
  }

  /** The machine has lost power: nothing more is sent, and the peer is not told. */
  void vanish() {
    abandoned = true;
    socket = null;
    unsent.clear();
    unsentBytes = 0;
    forget();
  }

  /** The network resets both ends. */
  void breakOff() {
    TcpEnd other = peer;
    fail(Status.DISCONNECTED);
    if (other != null) {
      other.fail(Status.DISCONNECTED);
    }
  }

  /** It has failed: refused, timed out, or reset by the peer. */
  void fail(Status status) {
    unsent.clear();
    unsentBytes = 0;
    forget();
    if (abandoned || failure != null) {
      return;
    }
    failure = status;
    if (net.random().nextBoolean()) {
      received.clear();
      receivedBytes = 0;
    }
    if (socket != null) {
      socket.failed(status);
    }
  }

  private void pump() {
    TcpEnd to = peer;
    while (to != null && !unsent.isEmpty()) {
      long bytes = 0;
      if (unsent.peek() instanceof Packet.Data(MemorySegment data)) {
        long window = to.receiveLimit - to.receivedBytes - flightBytes;
        if (window <= 0 && !to.abandoned) {
          return;
        }
        bytes = to.abandoned ? data.byteSize() : Math.min(window, data.byteSize());
        unsent.remove();
        if (bytes < data.byteSize()) {
          unsent.addFirst(new Packet.Data(data.asSlice(bytes)));
        }
        flight.add(new Packet.Data(data.asSlice(0, bytes)));
      } else {
        flight.add(unsent.remove());
      }
      unsentBytes -= bytes;
      flightBytes += bytes;
      long nowNs = net.simulation().nowNs();
      wireFreeNs = Math.max(wireFreeNs, nowNs) + net.wireNs(bytes);
      net.deliver(machine, to.machine, wireFreeNs - nowNs, () -> arrive(to));
    }
    if (abandoned && unsent.isEmpty()) {
      forget();
    }
  }

  /** The oldest packet in flight arrives at the peer. */
  private void arrive(TcpEnd to) {
    Packet packet = flight.remove();
    if (packet instanceof Packet.Data(MemorySegment data)) {
      flightBytes -= data.byteSize();
      net.simulation().trace(data);
    }
    if (to.abandoned || to.failure != null) {
      to.answerUnwanted(packet);
      return;
    }
    switch (packet) {
      case Packet.Accept _ -> to.accepted();
      case Packet.Fin _ -> to.endReceived = true;
      case Packet.Data(MemorySegment data) -> to.receive(data);
    }
    if (to.socket != null && to.failure == null) {
      to.socket.readable();
    }
    if (socket != null && room() > 0) {
      socket.writable();
    }
  }

  private void receive(MemorySegment data) {
    fuse.leftBytes -= data.byteSize();
    MemorySegment arrived = fuse.leftBytes < 0 ? data.asSlice(0, data.byteSize() + fuse.leftBytes) : data;
    if (arrived.byteSize() > 0) {
      received.add(arrived);
      receivedBytes += arrived.byteSize();
    }
    if (fuse.leftBytes <= 0) {
      breakOff();
    }
  }

  private void accepted() {
    established = true;
    if (socket != null) {
      socket.connected();
    }
    if (fuse.leftBytes <= 0) {
      breakOff();
    }
  }

  /** Data that nobody will read is answered with a reset, and so is a connection that nobody wants any more. */
  private void answerUnwanted(Packet packet) {
    switch (packet) {
      case Packet.Data _,Packet.Accept _ -> refuse();
      case Packet.Fin _ -> {
      }
    }
  }

  /** Sends a reset to the peer. */
  private void refuse() {
    TcpEnd to = peer;
    if (to != null) {
      net.deliver(machine, to.machine, 0, () -> to.fail(Status.DISCONNECTED));
    }
  }

  private void forget() {
    machine.sockets().remove(this);
  }
}
