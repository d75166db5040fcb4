package io.remora.nvme.host;

import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import io.remora.nvme.host.ScriptedTarget.Sqe;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.CRC32C;

/** One connection of a {@link ScriptedTarget}. */
final class ScriptedConnection implements StreamSocket.Handler {
  private static final class Incoming {
    final Sqe sqe;
    final byte[] data;
    int received;
    int granted;

    Incoming(Sqe sqe, int length) {
      this.sqe = sqe;
      this.data = new byte[length];
    }
  }

  final ScriptedTarget target;
  final StreamSocket socket;
  int queueId = -1;
  int cntlid;
  /** What the host said was wrong, when it said so: the fatal error status. */
  int termReq = -1;
  /** Data from the host is thrown away unseen. */
  boolean lenient;
  int inFlight;
  int mostInFlight;

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment readBuffer = arena.allocate(16 << 10);
  private final Sgl out = new Sgl();
  private final Map<Integer, Incoming> incoming = new HashMap<>();
  final ScriptedAdmin admin;
  private byte[] in = new byte[0];
  private boolean initialized;
  boolean headerDigest;
  boolean dataDigest;
  private boolean noFlowControl;
  private int consumed;
  private int entries = 1;

  ScriptedConnection(ScriptedTarget target, StreamListener.Accepted accepted) {
    this.target = target;
    this.admin = new ScriptedAdmin(this, target);
    this.socket = accepted.attach(target.loop, this);
    onReadable();
  }

  void close() {
    target.connections.remove(this);
    socket.close();
  }

  void reset() {
    target.connections.remove(this);
    socket.reset();
    socket.close();
  }

  @Override
  public void onReadable() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(in);
    boolean ended;
    while (true) {
      long count = socket.read(readBuffer, 0, readBuffer.byteSize());
      if (count <= 0) {
        ended = count == StreamSocket.CLOSED;
        break;
      }
      bytes.writeBytes(readBuffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE));
    }
    in = bytes.toByteArray();
    int at = 0;
    while (in.length - at >= 8) {
      ByteBuffer pdu = ByteBuffer.wrap(in, at, in.length - at).slice().order(ByteOrder.LITTLE_ENDIAN);
      int length = pdu.getInt(4);
      if (in.length - at < length) {
        break;
      }
      at += length;
      onPdu(pdu.slice(0, length).order(ByteOrder.LITTLE_ENDIAN));
    }
    in = java.util.Arrays.copyOfRange(in, at, in.length);
    if (ended) {
      gone();
    }
  }

  @Override
  public void onWritable() {
    flush();
  }

  @Override
  public void onClosed(Status reason) {
    gone();
  }

  private void gone() {
    close();
    if (queueId == 0) {
      target.controllers.remove(cntlid);
    }
  }

  private void onPdu(ByteBuffer pdu) {
    int type = pdu.get(0);
    int flags = pdu.get(1);
    int hlen = pdu.get(2);
    int pdo = pdu.get(3) & 0xff;
    if (!initialized) {
      onInitialize(pdu);
      return;
    }
    if (type == 2) {
      termReq = pdu.getShort(8);
      return;
    }
    check(((flags & 1) != 0) == headerDigest, "header digest flag");
    if (headerDigest) {
      check(pdu.getInt(hlen) == crc(pdu, 0, hlen), "header digest");
    }
    int dataLength = 0;
    if (pdo > 0) {
      check(((flags & 2) != 0) == dataDigest, "data digest flag");
      check(pdo % ((target.alignment + 1) * 4) == 0, "alignment of data");
      dataLength = pdu.limit() - pdo - (dataDigest ? 4 : 0);
      if (dataDigest) {
        check(pdu.getInt(pdo + dataLength) == crc(pdu, pdo, dataLength), "data digest");
      }
    } else {
      check(pdu.limit() == hlen + (headerDigest ? 4 : 0), "length");
    }
    byte[] data = new byte[dataLength];
    pdu.get(pdo, data);
    switch (type) {
      case 4 -> onCapsule(new Sqe(copy(pdu.slice(8, 64))), data);
      case 6 -> onData(pdu, data, (flags & 4) != 0);
      default -> throw new AssertionError("PDU type " + type);
    }
  }

  private void onInitialize(ByteBuffer pdu) {
    check(pdu.get(0) == 0 && pdu.limit() == 128 && pdu.getShort(8) == 0 && pdu.get(10) == 0, "ICReq");
    headerDigest = (pdu.get(11) & 1) != 0;
    dataDigest = (pdu.get(11) & 2) != 0;
    initialized = true;
    ByteBuffer response = buffer(128);
    response.put(0, (byte) 1).put(2, (byte) 128).putInt(4, 128).put(10, (byte) target.alignment).put(11, pdu.get(11))
        .putInt(12, target.maxH2cData);
    target.script.onInitialize(response);
    send(response);
  }

  private void onCapsule(Sqe sqe, byte[] data) {
    inFlight++;
    mostInFlight = Math.max(mostInFlight, inFlight);
    consumed = (consumed + 1) % entries;
    check((sqe.bytes().get(1) & 0xc0) == 0x40, "PSDT");
    count(sqe);
    boolean out = ((sqe.opcode() == 0x7f ? sqe.fctype() : sqe.opcode()) & 3) == 1;
    int length = sqe.sglLength();
    if (out && length > 0 && sqe.sglType() == 0x5a) {
      check(data.length == 0, "data in a capsule whose SGL says otherwise");
      Incoming command = new Incoming(sqe, length);
      incoming.put(sqe.cid(), command);
      if (!target.script.onTransfer(this, sqe)) {
        grant(command);
      }
      return;
    }
    if (out && length > 0) {
      check(sqe.sglType() == 0x01 && data.length == length, "in-capsule data");
    }
    run(sqe, data);
  }

  private void grant(Incoming command) {
    int length = Math.min(target.r2tBytes, command.data.length - command.received);
    command.granted = command.received + length;
    r2t(command.sqe.cid(), command.sqe.cid() ^ 0x5555, command.received, length);
  }

  private void onData(ByteBuffer pdu, byte[] data, boolean last) {
    int cid = pdu.getShort(8) & 0xffff;
    Incoming command = incoming.get(cid);
    if (lenient) {
      return;
    }
    check(command != null, "H2CData for no command");
    assert command != null;
    check((pdu.getShort(10) & 0xffff) == (cid ^ 0x5555) && pdu.getInt(12) == command.received
        && pdu.getInt(16) == data.length && data.length <= target.maxH2cData, "H2CData header");
    System.arraycopy(data, 0, command.data, command.received, data.length);
    command.received += data.length;
    check(last == (command.received == command.granted), "LAST");
    if (command.received == command.data.length) {
      incoming.remove(cid);
      run(command.sqe, command.data);
    } else if (last) {
      grant(command);
    }
  }

  private void run(Sqe sqe, byte[] data) {
    if (target.script.onCommand(this, sqe, data)) {
      return;
    }
    if (sqe.opcode() == 0x7f || queueId == 0) {
      admin.run(sqe, data);
      return;
    }
    perform(sqe, data);
  }

  /** Does an I/O command as a good target does. */
  void perform(Sqe sqe, byte[] data) {
    if (sqe.opcode() == 0x02) {
      byte[] read = new byte[sqe.sglLength()];
      int status = target.execute(sqe, read);
      if (status == 0) {
        answerData(sqe, read);
      } else {
        answer(sqe, 0, status);
      }
    } else {
      answer(sqe, 0, target.execute(sqe, data));
    }
  }

  /** Sends data and success. */
  void answerData(Sqe sqe, byte[] data) {
    boolean success = target.success && noFlowControl;
    for (int at = 0; at < data.length; at += target.c2hBytes) {
      int length = Math.min(target.c2hBytes, data.length - at);
      boolean last = at + length == data.length;
      data(sqe.cid(), at, java.util.Arrays.copyOfRange(data, at, at + length),
          (last ? 4 : 0) | (last && success ? 8 : 0));
    }
    if (success) {
      inFlight--;
    } else {
      answer(sqe, 0, 0);
    }
  }

  void answer(Sqe sqe, long result, int status) {
    inFlight--;
    response(sqe.cid(), result, status);
  }

  void response(int cid, long result, int status) {
    ByteBuffer pdu = pdu(5, 24, 0, 24);
    pdu.putLong(8, result).putShort(16, (short) (noFlowControl ? 0xffff : consumed)).putShort(20, (short) cid)
        .putShort(22, (short) (status << 1));
    send(seal(pdu));
  }

  void r2t(int cid, int tag, int offset, int length) {
    ByteBuffer pdu = pdu(9, 24, 0, 24);
    pdu.putShort(8, (short) cid).putShort(10, (short) tag).putInt(12, offset).putInt(16, length);
    send(seal(pdu));
  }

  void data(int cid, int offset, byte[] data, int flags) {
    send(dataPdu(cid, offset, data, flags));
  }

  ByteBuffer dataPdu(int cid, int offset, byte[] data, int flags) {
    int pdo = 24 + (headerDigest ? 4 : 0);
    ByteBuffer pdu = buffer(pdo + data.length + (dataDigest ? 4 : 0));
    pdu.put(0, (byte) 7).put(1, (byte) (flags | (headerDigest ? 1 : 0) | (dataDigest ? 2 : 0))).put(2, (byte) 24)
        .put(3, (byte) pdo).putInt(4, pdu.limit()).putShort(8, (short) cid).putInt(12, offset).putInt(16, data.length);
    seal(pdu);
    pdu.put(pdo, data);
    if (dataDigest) {
      pdu.putInt(pdo + data.length, crc(pdu, pdo, data.length));
    }
    return pdu;
  }

  private ByteBuffer pdu(int type, int hlen, int pdo, int plen) {
    ByteBuffer pdu = buffer(plen + (headerDigest ? 4 : 0));
    return pdu.put(0, (byte) type).put(1, (byte) (headerDigest ? 1 : 0)).put(2, (byte) hlen).put(3, (byte) pdo)
        .putInt(4, pdu.limit());
  }

  /** Adds the header digest. */
  private ByteBuffer seal(ByteBuffer pdu) {
    if (headerDigest) {
      pdu.putInt(pdu.get(2), crc(pdu, 0, pdu.get(2)));
    }
    return pdu;
  }

  void send(ByteBuffer good) {
    ByteBuffer pdu = target.script.onSend(this, good);
    MemorySegment bytes = arena.allocate(Math.max(1, pdu.limit()));
    bytes.copyFrom(MemorySegment.ofBuffer(pdu));
    out.add(bytes, 0, pdu.limit());
    flush();
  }

  private void flush() {
    while (out.totalBytes() > 0) {
      long count = socket.write(out);
      if (count < 0) {
        return;
      }
      boolean all = count == out.totalBytes();
      out.consume(count);
      if (!all) {
        return;
      }
    }
  }

  /** Connect went well. */
  void joined(int queue, int controller, int queueEntries, boolean withoutFlowControl) {
    queueId = queue;
    cntlid = controller;
    entries = queueEntries;
    noFlowControl = withoutFlowControl && !target.flowControl;
  }

  int entries() {
    return entries;
  }

  private void count(Sqe sqe) {
    String name = sqe.opcode() == 0x7f
        ? "fabrics " + sqe.fctype()
        : (queueId == 0 ? "admin " : "io ") + Integer.toHexString(sqe.opcode());
    target.counts.merge(name, 1, Integer::sum);
  }

  static ByteBuffer buffer(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer copy(ByteBuffer from) {
    return buffer(from.remaining()).put(0, from, 0, from.remaining());
  }

  private static int crc(ByteBuffer bytes, int from, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(from, length));
    return (int) crc.getValue();
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError("the host is wrong: " + what);
    }
  }
}
