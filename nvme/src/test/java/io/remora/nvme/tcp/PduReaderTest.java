package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Sgl;
import io.remora.nvme.tcp.PduReader.Progress;
import io.remora.nvme.tcp.PduReader.Role;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PduReaderTest {
  private static final int MAX_CAPSULE = 16 << 10;

  private final Arena arena = Arena.ofConfined();
  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);

  @AfterEach
  void free() {
    arena.close();
  }

  /** Writes down what it hears. Data goes to a list of several pieces. */
  private final class Recorder implements PduReader.Handler {
    final List<String> heard = new ArrayList<>();
    final MemorySegment memory = arena.allocate(1 << 20);
    final Sgl whole = new Sgl();
    int refusals;

    Recorder() {
      whole.add(memory, 0, 1000);
      whole.add(memory, 1000, 60_000);
      whole.add(memory, 61_000, memory.byteSize() - 61_000);
    }

    @Override
    public boolean onPdu(MemorySegment s, long base, long data, int dataLength, boolean digestOk) {
      if (refusals > 0) {
        refusals--;
        return false;
      }
      byte[] bytes = s.asSlice(data, dataLength).toArray(ValueLayout.JAVA_BYTE);
      heard.add(
          Pdu.name(Pdu.type(s, base)) + " " + dataLength + " " + Integer.toHexString(Pdus.crc(bytes, 0, dataLength))
              + (digestOk ? "" : " bad"));
      return true;
    }

    @Override
    public Sgl onData(MemorySegment s, long base) {
      heard.add(Pdu.name(Pdu.type(s, base)) + " " + Pdu.dataOffset(s, base) + "+" + Pdu.dataLength(s, base));
      return whole;
    }

    @Override
    public void onDataEnd(boolean digestOk) {
      heard.add("end " + digestOk);
    }

    @Override
    public void onBad(int fes, long fei, MemorySegment s, long base, int length) {
      heard.add("bad " + fes + "/" + fei + " " + length);
    }
  }

  private PduReader reader(Role role, Recorder recorder) {
    PduReader reader = new PduReader(role, arena.allocate(64 << 10), MAX_CAPSULE, recorder);
    return reader;
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static Progress drain(PduReader reader, ScriptedSocket socket) {
    Progress progress = reader.advance(socket, 1000);
    while (progress == Progress.MORE || progress == Progress.STALLED) {
      progress = reader.advance(socket, 1000);
    }
    return progress;
  }

  @Test
  void everySegmentationGivesTheSamePdus() {
    for (int round = 0; round < 40; round++) {
      boolean hdgst = random.nextBoolean();
      boolean ddgst = random.nextBoolean();
      Recorder recorder = new Recorder();
      PduReader reader = reader(Role.TARGET, recorder);
      ScriptedSocket socket = new ScriptedSocket(random, 1 + random.nextInt(random.nextBoolean() ? 50 : 100_000));
      byte[] inline = bytes(1 + random.nextInt(MAX_CAPSULE));
      int large = 1 + random.nextInt(300_000);
      byte[] payload = bytes(large);
      int at = random.nextInt(70_000);
      socket.put(Pdus.icReq(0, hdgst, ddgst));
      assertThat(drain(reader, socket)).isEqualTo(Progress.DRAINED);
      reader.digests(hdgst, ddgst);
      recorder.refusals = random.nextInt(3);
      socket.put(Pdus.pdu(4, 0, Pdus.capsule(bytes(64)), new byte[0], hdgst, ddgst));
      socket.put(Pdus.pdu(4, 0, Pdus.capsule(bytes(64)), inline, hdgst, ddgst));
      socket.put(Pdus.pdu(6, 4, Pdus.transfer(7, 9, at, large), payload, hdgst, ddgst));
      socket.put(Pdus.pdu(4, 0, Pdus.capsule(bytes(64)), new byte[0], hdgst, ddgst));
      assertThat(drain(reader, socket)).as("seed %d", seed).isEqualTo(Progress.DRAINED);
      assertThat(recorder.heard).as("seed %d", seed).containsExactly("ICReq 0 0", "CapsuleCmd 0 0",
          "CapsuleCmd " + inline.length + " " + Integer.toHexString(Pdus.crc(inline, 0, inline.length)),
          "H2CData " + at + "+" + large, "end true", "CapsuleCmd 0 0");
      assertThat(recorder.memory.asSlice(at, large).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(payload);
    }
  }

  @Test
  void largePayloadTakesFewReads() {
    Recorder recorder = new Recorder();
    PduReader reader = reader(Role.TARGET, recorder);
    ScriptedSocket socket = new ScriptedSocket(new Random(1) {
      private static final long serialVersionUID = 1L;

      @Override
      public int nextInt(int bound) {
        return bound - 1;
      }
    }, 1 << 30);
    socket.put(Pdus.icReq(0, false, false));
    drain(reader, socket);
    for (int i = 0; i < 8; i++) {
      socket.put(Pdus.pdu(6, 4, Pdus.transfer(7, 9, 100_000, 128 << 10), bytes(128 << 10), false, false));
    }
    socket.reads = 0;
    drain(reader, socket);
    // One for the header and a little, one for the rest of the payload; the first took a whole staging buffer.
    assertThat(socket.reads).isLessThanOrEqualTo(8 * 2 + 3);
  }

  @Test
  void badDataDigestIsTold() {
    Recorder recorder = new Recorder();
    PduReader reader = reader(Role.TARGET, recorder);
    ScriptedSocket socket = new ScriptedSocket(random, 5000);
    socket.put(Pdus.icReq(0, false, true));
    drain(reader, socket);
    reader.digests(false, true);
    byte[] inline = Pdus.pdu(4, 0, Pdus.capsule(bytes(64)), bytes(512), false, true);
    byte[] data = Pdus.pdu(6, 4, Pdus.transfer(1, 1, 0, 20_000), bytes(20_000), false, true);
    inline[100] ^= 1;
    data[19_000] ^= 1;
    socket.put(inline);
    socket.put(data);
    drain(reader, socket);
    assertThat(recorder.heard).hasSize(4);
    assertThat(recorder.heard.get(1)).startsWith("CapsuleCmd 512").endsWith(" bad");
    assertThat(recorder.heard.subList(2, 4)).containsExactly("H2CData 0+20000", "end false");
  }

  @Test
  void hostSideHearsItsPdus() {
    Recorder recorder = new Recorder();
    PduReader reader = reader(Role.HOST, recorder);
    ScriptedSocket socket = new ScriptedSocket(random, 100);
    socket.put(Pdus.with(Pdus.icReq(0, false, false), 0, Pdu.IC_RESP));
    drain(reader, socket);
    reader.digests(true, true);
    socket.put(Pdus.pdu(9, 0, Pdus.transfer(1, 2, 0, 4096), new byte[0], true, true));
    socket.put(Pdus.pdu(7, 4, Pdus.transfer(1, 0, 512, 70_000), bytes(70_000), true, true));
    socket.put(Pdus.pdu(5, 0, new byte[24], new byte[0], true, true));
    assertThat(drain(reader, socket)).isEqualTo(Progress.DRAINED);
    assertThat(recorder.heard).containsExactly("ICResp 0 0", "R2T 0 0", "C2HData 512+70000", "end true",
        "CapsuleResp 0 0");
  }

  @Test
  void everyWrongHeaderHasItsFatalError() {
    byte[] command = Pdus.pdu(4, 0, Pdus.capsule(bytes(64)), new byte[0], false, false);
    byte[] inline = Pdus.pdu(4, 0, Pdus.capsule(bytes(64)), bytes(512), false, false);
    byte[] data = Pdus.pdu(6, 4, Pdus.transfer(1, 1, 0, 512), bytes(512), false, false);
    byte[] req = Pdus.icReq(0, false, false);
    expectBad("bad 2/0 ", null, command);
    expectBad("bad 2/0 ", req, req);
    expectBad("bad 1/0 ", req, Pdus.with(command, 0, 5));
    expectBad("bad 1/0 ", req, Pdus.with(command, 0, 200));
    expectBad("bad 1/2 ", req, Pdus.with(command, 2, 71));
    expectBad("bad 1/1 ", req, Pdus.with(command, 1, 1));
    expectBad("bad 1/1 ", req, Pdus.with(inline, 1, 2));
    expectBad("bad 1/3 ", req, Pdus.with(inline, 3, 73));
    expectBad("bad 1/3 ", req, Pdus.with(inline, 3, 68));
    expectBad("bad 1/4 ", req, Pdus.with(inline, 6, 1));
    expectBad("bad 1/4 ", req, Pdus.with(inline, 7, 0xff));
    expectBad("bad 1/4 ", req, Pdus.with(data, 4, 0));
    expectBad("bad 1/4 ", req, Pdus.with(data, 17, 1));
    byte[] empty = Pdus.with(Pdus.with(data, 16, 0), 17, 0);
    expectBad("bad 1/16 ", req, empty);
    expectBad("bad 1/2 ", null, Pdus.with(req, 2, 127));
    expectBad("bad 1/4 ", null, Pdus.with(req, 4, 129));
  }

  @Test
  void badHeaderDigestIsFatalWithTheDigest() {
    Recorder recorder = new Recorder();
    PduReader reader = reader(Role.TARGET, recorder);
    ScriptedSocket socket = new ScriptedSocket(random, 100);
    socket.put(Pdus.icReq(0, true, false));
    drain(reader, socket);
    reader.digests(true, false);
    byte[] command = Pdus.pdu(4, 0, Pdus.capsule(bytes(64)), new byte[0], true, false);
    command[20] ^= 4;
    socket.put(command);
    assertThat(drain(reader, socket)).isEqualTo(Progress.STOPPED);
    long digest = Pdus.view(command).getInt(72) & 0xffff_ffffL;
    assertThat(recorder.heard.get(1)).isEqualTo("bad 3/" + digest + " 72");
  }

  private void expectBad(String expected, byte @Nullable [] before, byte[] wrong) {
    Recorder recorder = new Recorder();
    PduReader reader = reader(Role.TARGET, recorder);
    ScriptedSocket socket = new ScriptedSocket(random, 1 << 20);
    if (before != null) {
      socket.put(before);
    }
    socket.put(wrong);
    assertThat(drain(reader, socket)).isEqualTo(Progress.STOPPED);
    assertThat(recorder.heard.getLast()).as("seed %d", seed).startsWith(expected);
  }
}
