package io.remora.verbs.iwarp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Sgl;
import io.remora.verbs.capture.TcpCapture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every frame that two Linux kernels with siw exchanged goes through the reader in random pieces, is encoded again from its decoded fields, and comes out the same. */
class CaptureTest {
  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      rping-siw               | 1 Request, 1 Reply, 20 Send, 5 Read Request, 5 Read Response, 5 Write
      rping-siw-crc           | 1 Request, 1 Reply, 20 Send, 5 Read Request, 5 Read Response, 5 Write, 35 checksums
      rping-siw-crc-client    | 1 Request, 1 Reply, 20 Send, 5 Read Request, 5 Read Response, 5 Write, 35 checksums
      rping-siw-p2p           | 1 Request, 1 Reply, 20 Send, 5 Read Request, 5 Read Response, 6 Write
      linux-6.1-rping-siw     | 1 Request, 1 Reply, 20 Send, 5 Read Request, 5 Read Response, 5 Write
      send-siw-mpa1           | 2 Request, 2 Reply, 32 Send, 2 pads
      rdma-siw-large          | 6 Request, 6 Reply, 321 Send, 232 Write, 5 Read Request, 230 Read Response, 6 pads
      nvme-rdma-siw           | 4 Request, 4 Reply, 110 Send, 256 Write, 4 Read Request, 140 Read Response, 46 Send Inv
      linux-6.1-nvme-rdma-siw | 4 Request, 4 Reply, 114 Send, 256 Write, 4 Read Request, 140 Read Response, 46 Send Inv
      nvme-rdma-siw-crc       | 4 Request, 4 Reply, 110 Send, 256 Write, 4 Read Request, 140 Read Response, 46 Send Inv, 556 checksums
      verbs-siw-private-data  | 1 Request, 1 Reply, 1 Send
      verbs-siw-reject        | 1 Request, 1 Reply
      verbs-siw-rnr           | 1 Request, 1 Reply, 1 Send, 1 Terminate, 1 cause 1202
      verbs-siw-bad-key       | 1 Request, 1 Reply, 1 Write, 1 Terminate, 1 cause 1100
      verbs-siw-no-permission | 1 Request, 1 Reply, 1 Write, 1 Terminate, 1 cause 1100
      verbs-siw-out-of-bounds | 1 Request, 1 Reply, 1 Read Request, 1 Terminate, 1 cause 101
      verbs-siw-too-long      | 1 Request, 1 Reply, 1 Send, 1 Terminate, 1 cause 1202
      """)
  void everyFrameIsEncodedToTheSameBytes(String name, String expected) throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    List<TcpCapture.Stream> streams = TcpCapture.of(name);
    try (Arena arena = Arena.ofConfined()) {
      for (TcpCapture.Stream stream : streams) {
        assertThat(streams)
            .anyMatch(other -> other.sourcePort() == stream.targetPort() && other.targetPort() == stream.sourcePort());
        new Rewriter(stream.bytes().array(), crcAgreed(streams, stream), arena, counts).run();
      }
    }
    Map<String, Integer> wanted = new TreeMap<>();
    for (String part : expected.split(", ")) {
      String[] words = part.strip().split(" ", 2);
      wanted.put(words[1], Integer.valueOf(words[0]));
    }
    assertThat(counts).isEqualTo(wanted);
  }

  /** What the reply of the stream's connection says. */
  private static boolean crcAgreed(List<TcpCapture.Stream> streams, TcpCapture.Stream stream) {
    for (TcpCapture.Stream other : streams) {
      boolean same = other.equals(stream)
          || (other.sourcePort() == stream.targetPort() && other.targetPort() == stream.sourcePort());
      if (same && other.bytes().array()[9] == 'p') {
        return (other.bytes().array()[16] & 0x40) != 0;
      }
    }
    throw new AssertionError("no reply");
  }

  /** Walks one stream. */
  private static final class Rewriter implements FpduReader.Handler {
    private final byte[] in;
    private final boolean crc;
    private final MemorySegment staging;
    private final MemorySegment out;
    private final Map<String, Integer> counts;
    private long frameAt;
    private long frameEnd;
    private boolean last;

    Rewriter(byte[] in, boolean crc, Arena arena, Map<String, Integer> counts) {
      this.in = in;
      this.crc = crc;
      this.counts = counts;
      this.staging = arena.allocate(FpduReader.STAGING_BYTES);
      this.out = arena.allocate(in.length);
      out.fill((byte) 0x5e);
    }

    void run() {
      boolean reply = in[9] == 'p';
      MemorySegment image = MemorySegment.ofArray(in);
      int mpaBytes = Mpa.HEAD_BYTES + Mpa.dataBytes(image, reply);
      byte[] mpa = Arrays.copyOf(in, mpaBytes);
      assertThat(Mpa.parse(MemorySegment.ofArray(mpa), reply).encode()).isEqualTo(mpa);
      count(reply ? "Reply" : "Request");
      frameAt = mpaBytes;
      FpduReader reader = new FpduReader(staging, this);
      if (crc) {
        reader.checksums(staging);
      }
      BytesSocket socket = new BytesSocket(in, mpaBytes, 20_000, new SplittableRandom(in.length));
      while (reader.advance(socket, 10_000) != FpduReader.Progress.CLOSED) {
        spoil();
      }
      assertThat(reader.betweenFrames()).isTrue();
      assertThat(frameAt).isEqualTo(in.length);
    }

    /** What another connection of the loop does to a staging buffer that is not this reader's alone. */
    private void spoil() {
      if (!crc) {
        staging.fill((byte) 0x77);
      }
    }

    @Override
    public boolean onFrame(MemorySegment s, long at, int payloadBytes, Sgl sink) {
      int control = Fpdu.control(s, at);
      int opcode = Fpdu.opcode(control);
      last = Fpdu.last(control);
      int headerBytes = Fpdu.LENGTH_BYTES + Fpdu.ulpduLength(s, at) - payloadBytes;
      switch (opcode) {
        case Rdmap.WRITE, Rdmap.READ_RESPONSE ->
          Fpdu.tagged(out, frameAt, opcode, last, payloadBytes, Fpdu.sinkKey(s, at),
              Fpdu.sinkOffset(s, at));
        case Rdmap.READ_REQUEST -> Fpdu.readRequest(out, frameAt, Fpdu.sequence(s, at), Fpdu.readSinkKey(s, at),
            Fpdu.readSinkOffset(s, at), Fpdu.readLength(s, at), Fpdu.readSourceKey(s, at),
            Fpdu.readSourceOffset(s, at));
        case Rdmap.TERMINATE -> terminate(s, at, headerBytes);
        default -> Fpdu.untagged(out, frameAt, opcode, last, headerBytes + payloadBytes, Fpdu.word(s, at),
            Fpdu.sequence(s, at), Fpdu.messageOffset(s, at));
      }
      count(Rdmap.name(opcode));
      sink.add(out, frameAt + headerBytes, payloadBytes);
      frameEnd = frameAt + headerBytes + payloadBytes;
      return true;
    }

    /** Written as siw does, which is not as RFC 5040 says: layer and type swapped, flags from the other end of their byte. */
    private void terminate(MemorySegment s, long at, int headerBytes) {
      int cause = Terminate.cause(Fpdu.terminateWord(s, at));
      counts.merge("cause " + Integer.toHexString(cause), 1, Integer::sum);
      int wrongBytes = headerBytes - Rdmap.TERMINATE_MIN_BYTES;
      Fpdu.terminate(out, frameAt, cause, s, at + Rdmap.TERMINATE_MIN_BYTES, wrongBytes);
      int word = Fpdu.terminateWord(out, frameAt);
      assertThat(Terminate.cause(word)).isEqualTo(cause);
      int swapped = ((cause & 0xf00) << 4) | ((cause >>> 12) << 8) | (cause & 0xff);
      int flags = (word & Terminate.PARTS_READ) == Terminate.PARTS_READ ? 7 : 3;
      out.set(Fpdu.BE32, frameAt + Rdmap.UNTAGGED_BYTES, swapped << 16 | flags << 8);
    }

    @Override
    public boolean onResume() {
      return true;
    }

    @Override
    public void onFrameEnd() {
      while (((frameEnd - frameAt) & 3) != 0) {
        byte pad = in[(int) frameEnd];
        if (pad != 0) {
          // Not as RFC 5044 4.1 demands.
          counts.merge("pads", 1, Integer::sum);
        }
        out.set(ValueLayout.JAVA_BYTE, frameEnd++, pad);
      }
      int sum = 0;
      if (crc) {
        CRC32C crc32c = new CRC32C();
        crc32c.update(out.asSlice(frameAt, frameEnd - frameAt).asByteBuffer());
        sum = (int) crc32c.getValue();
        count("checksums");
      }
      out.set(Fpdu.LE32, frameEnd, sum);
      frameEnd += Fpdu.CRC_BYTES;
      long length = frameEnd - frameAt;
      assertThat(out.asSlice(frameAt, length).mismatch(MemorySegment.ofArray(in).asSlice(frameAt, length)))
          .as("first byte that differs in the frame at %d", frameAt).isEqualTo(-1);
      frameAt = frameEnd;
    }

    @Override
    public void onBad(int cause, MemorySegment s, long at, int length) {
      throw new AssertionError(Terminate.text(cause) + " at " + frameAt);
    }

    private void count(String what) {
      counts.merge(what, 1, Integer::sum);
    }
  }
}
