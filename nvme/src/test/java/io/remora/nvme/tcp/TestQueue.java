package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import io.remora.nvme.Opcode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The host's end of one connection, in bytes: it shares no code with what it tests. Calls run the simulation until the answer is there.
 */
final class TestQueue implements StreamSocket.Handler {
  private final TestWorld world;
  private final Arena arena = Arena.ofAuto();
  private final MemorySegment in = arena.allocate(64 << 10);
  private final StreamSocket socket;
  private byte[] received = {};
  private int parsed;
  private final ArrayDeque<MemorySegment> unsent = new ArrayDeque<>();
  private boolean connected;
  boolean ended;
  boolean reading = true;
  boolean headerDigest;
  boolean dataDigest;
  int alignment = 4;
  int controllerId;
  private int nextCid = 1;
  final ArrayDeque<byte[]> pdus = new ArrayDeque<>();
  private final Map<Integer, byte[]> outgoing = new HashMap<>();
  private final Map<Integer, byte[]> incoming = new HashMap<>();
  final ArrayDeque<Reply> replies = new ArrayDeque<>();
  /** The longest H2CData that it sends. */
  int maxData = 1 << 20;

  TestQueue(TestWorld world, InetSocketAddress address) {
    this.world = world;
    StreamSocket[] made = new StreamSocket[1];
    world.hostLoop.run(() -> made[0] = world.hostLoop.net().connect(address, this));
    socket = Objects.requireNonNull(made[0]);
    world.sim.runUntil(() -> connected || ended, TestWorld.LIMIT_NS);
  }

  // Bytes.

  void send(byte[] bytes) {
    MemorySegment copy = Arena.ofAuto().allocate(bytes.length);
    MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
    unsent.add(copy);
    world.hostLoop.run(this::onWritable);
  }

  @Override
  public void onConnected() {
    connected = true;
  }

  @Override
  public void onWritable() {
    while (!unsent.isEmpty()) {
      MemorySegment first = unsent.remove();
      Sgl list = new Sgl();
      list.add(first, 0, first.byteSize());
      long count = socket.write(list);
      if (count < 0) {
        ended = true;
        unsent.clear();
      } else if (count < first.byteSize()) {
        unsent.addFirst(first.asSlice(count));
        return;
      }
    }
  }

  @Override
  public void onReadable() {
    while (reading && !ended) {
      long count = socket.read(in, 0, in.byteSize());
      if (count == 0) {
        return;
      }
      if (count < 0) {
        ended = true;
        return;
      }
      int old = received.length;
      received = Arrays.copyOf(received, old + (int) count);
      MemorySegment.copy(in, ValueLayout.JAVA_BYTE, 0, received, old, (int) count);
      parse();
    }
  }

  /** Takes no bytes until {@link #startReading}. */
  void stopReading() {
    reading = false;
  }

  void startReading() {
    reading = true;
    world.hostLoop.run(this::onReadable);
  }

  @Override
  public void onClosed(Status reason) {
    ended = true;
  }

  void close() {
    if (!ended) {
      world.hostLoop.run(socket::close);
      ended = true;
    } else {
      world.hostLoop.run(socket::close);
    }
  }

  void reset() {
    world.hostLoop.run(socket::reset);
    ended = true;
  }

  void awaitEnd() {
    world.sim.runUntil(() -> ended, TestWorld.LIMIT_NS);
  }

  private void parse() {
    while (received.length - parsed >= 8) {
      int plen = Pdus.view(received).getInt(parsed + 4);
      if (received.length - parsed < plen) {
        break;
      }
      pdus.add(Arrays.copyOfRange(received, parsed, parsed + plen));
      parsed += plen;
    }
    received = Arrays.copyOfRange(received, parsed, received.length);
    parsed = 0;
  }

  /** The next PDU. */
  byte[] pdu() {
    world.sim.runUntil(() -> !pdus.isEmpty() || ended, TestWorld.LIMIT_NS);
    assertThat(pdus).as("the connection ended").isNotEmpty();
    return pdus.remove();
  }

  // The protocol.

  TestQueue initialize(int hpda, boolean hdgst, boolean ddgst) {
    send(Pdus.icReq(hpda, hdgst, ddgst));
    byte[] answer = pdu();
    ByteBuffer b = Pdus.view(answer);
    assertThat(answer).hasSize(128);
    assertThat(b.get(0)).isEqualTo((byte) 1);
    assertThat(b.getShort(8)).isZero();
    assertThat(b.get(10)).isZero();
    assertThat(b.get(11)).isEqualTo((byte) ((hdgst ? 1 : 0) | (ddgst ? 2 : 0)));
    assertThat(b.getInt(12)).isGreaterThanOrEqualTo(4096);
    headerDigest = hdgst;
    dataDigest = ddgst;
    alignment = (hpda + 1) * 4;
    return this;
  }

  static byte[] sqe(int opcode, int nsid) {
    byte[] sqe = new byte[64];
    Pdus.view(sqe).put(0, (byte) opcode).put(1, (byte) 0x40).putInt(4, nsid);
    sqe[39] = 0x5A;
    return sqe;
  }

  static byte[] io(int opcode, int nsid, long slba, int blocks) {
    byte[] sqe = sqe(opcode, nsid);
    Pdus.view(sqe).putLong(40, slba).putInt(48, blocks - 1 & 0xffff).putInt(32, blocks * TestWorld.BLOCK);
    return sqe;
  }

  static byte[] fabrics(int type) {
    byte[] sqe = sqe(Opcode.FABRICS, type);
    return sqe;
  }

  static byte[] connect(int qid, int sqsize, int kato, boolean disableFlowControl) {
    byte[] sqe = fabrics(Opcode.CONNECT);
    Pdus.view(sqe).putShort(42, (short) qid).putShort(44, (short) sqsize).put(46, (byte) (disableFlowControl ? 4 : 0))
        .putInt(48, kato);
    return sqe;
  }

  static byte[] connectData(int cntlid, String subNqn, String hostNqn) {
    byte[] data = new byte[1024];
    Arrays.fill(data, 0, 16, (byte) 7);
    Pdus.view(data).putShort(16, (short) cntlid);
    byte[] sub = subNqn.getBytes(StandardCharsets.UTF_8);
    byte[] host = hostNqn.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(sub, 0, data, 256, sub.length);
    System.arraycopy(host, 0, data, 512, host.length);
    return data;
  }

  TestQueue connectAdmin(String subNqn, String hostNqn, int kato) {
    Reply reply = call(connect(0, 31, kato, false), connectData(0xffff, subNqn, hostNqn));
    assertThat(reply.status()).isZero();
    controllerId = (int) reply.result() & 0xffff;
    assertThat(controllerId).isBetween(1, 0xffef);
    return this;
  }

  TestQueue connectIo(TestQueue admin, int qid, int sqsize, boolean disableFlowControl) {
    Reply reply = call(connect(qid, sqsize, 0, disableFlowControl),
        connectData(admin.controllerId, TestWorld.NQN, TestWorld.HOST));
    assertThat(reply.status()).isZero();
    assertThat(reply.sqhd()).isEqualTo(disableFlowControl ? 0xffff : 1);
    assertThat(reply.result() & 0xffff).isEqualTo(admin.controllerId);
    return this;
  }

  void enable() {
    assertThat(setProperty(0x14, 0x00460001).status()).isZero();
    assertThat(property(0x1C).result() & 1).isEqualTo(1);
  }

  Reply setProperty(int offset, int value) {
    byte[] sqe = fabrics(Opcode.PROPERTY_SET);
    Pdus.view(sqe).putInt(44, offset).putLong(48, value);
    return call(sqe, null);
  }

  Reply property(int offset) {
    byte[] sqe = fabrics(Opcode.PROPERTY_GET);
    Pdus.view(sqe).put(40, (byte) (offset == 0 ? 1 : 0)).putInt(44, offset);
    return call(sqe, null);
  }

  /** Sends a command with its data in the capsule and waits for its answer. */
  Reply call(byte[] sqe, byte @Nullable [] data) {
    return answer(start(sqe, data));
  }

  /** As {@link #call}, the data fetched by R2T. */
  Reply callWithR2t(byte[] sqe, byte[] data) {
    return answer(startWithR2t(sqe, data));
  }

  /** Sends a command, with data in the capsule if there is any; gives its identifier. */
  int start(byte[] sqe, byte @Nullable [] data) {
    byte[] copy = sqe.clone();
    int cid = nextCid++;
    Pdus.view(copy).putShort(2, (short) cid);
    byte[] inline = data == null ? new byte[0] : data;
    if (data != null) {
      Pdus.view(copy).putInt(32, data.length);
      copy[39] = 0x01;
    }
    send(Pdus.pdu(4, 0, Pdus.capsule(copy), inline, headerDigest, dataDigest));
    return cid;
  }

  int startWithR2t(byte[] sqe, byte[] data) {
    byte[] copy = sqe.clone();
    int cid = nextCid++;
    Pdus.view(copy).putShort(2, (short) cid).putInt(32, data.length);
    outgoing.put(cid, data);
    send(Pdus.pdu(4, 0, Pdus.capsule(copy), new byte[0], headerDigest, dataDigest));
    return cid;
  }

  /** The answer to command {@code cid}; R2Ts of any command are answered on the way. */
  Reply answer(int cid) {
    while (true) {
      for (Reply reply : replies) {
        if (reply.cid() == cid) {
          replies.remove(reply);
          return reply;
        }
      }
      take(pdu());
    }
  }

  /** Whether an answer to {@code cid} has come by now. */
  boolean answered(int cid) {
    while (!pdus.isEmpty()) {
      take(pdus.remove());
    }
    return replies.stream().anyMatch(reply -> reply.cid() == cid);
  }

  private void take(byte[] pdu) {
    ByteBuffer b = Pdus.view(pdu);
    int type = pdu[0];
    checkHeader(pdu, type);
    switch (type) {
      case 5 -> {
        int cid = b.getShort(20) & 0xffff;
        byte[] data = incoming.remove(cid);
        replies.add(new Reply(cid, (b.getShort(22) & 0xffff) >> 1, b.getLong(8), b.getShort(16) & 0xffff,
            data == null ? new byte[0] : data));
      }
      case 7 -> takeData(pdu);
      case 9 -> sendData(b.getShort(8) & 0xffff, b.getShort(10) & 0xffff, b.getInt(12), b.getInt(16));
      default -> throw new AssertionError("unexpected PDU of type " + type);
    }
  }

  private void checkHeader(byte[] pdu, int type) {
    ByteBuffer b = Pdus.view(pdu);
    assertThat(pdu[2]).isEqualTo((byte) 24);
    assertThat(pdu[1] & 1).isEqualTo(headerDigest ? 1 : 0);
    assertThat(pdu[1] & 2).isEqualTo(dataDigest && type == 7 ? 2 : 0);
    if (headerDigest) {
      assertThat(b.getInt(24)).isEqualTo(Pdus.crc(pdu, 0, 24));
    }
  }

  private void takeData(byte[] pdu) {
    ByteBuffer b = Pdus.view(pdu);
    int cid = b.getShort(8) & 0xffff;
    int offset = b.getInt(12);
    int length = b.getInt(16);
    int pdo = pdu[3] & 0xff;
    assertThat(pdo % alignment).isZero();
    assertThat(pdu.length).isEqualTo(pdo + length + (dataDigest ? 4 : 0));
    if (dataDigest) {
      assertThat(b.getInt(pdo + length)).isEqualTo(Pdus.crc(pdu, pdo, length));
    }
    byte[] before = incoming.getOrDefault(cid, new byte[0]);
    assertThat(offset).isEqualTo(before.length);
    byte[] all = Arrays.copyOf(before, offset + length);
    System.arraycopy(pdu, pdo, all, offset, length);
    incoming.put(cid, all);
    if ((pdu[1] & 8) != 0) {
      assertThat(pdu[1] & 4).as("SUCCESS without LAST").isEqualTo(4);
      incoming.remove(cid);
      replies.add(new Reply(cid, 0, 0, -1, all));
    }
  }

  private void sendData(int cid, int ttag, int offset, int length) {
    byte[] data = outgoing.get(cid);
    assertThat(data).as("R2T for command %d", cid).isNotNull();
    assertThat(length).isPositive();
    assertThat(offset + length).isLessThanOrEqualTo(Objects.requireNonNull(data).length);
    for (int at = offset; at < offset + length; at += maxData) {
      int piece = Math.min(maxData, offset + length - at);
      boolean last = at + piece == offset + length;
      send(Pdus.pdu(6, last ? 4 : 0, Pdus.transfer(cid, ttag, at, piece), Arrays.copyOfRange(data, at, at + piece),
          headerDigest, dataDigest));
    }
    if (offset + length == data.length) {
      outgoing.remove(cid);
    }
  }
}
