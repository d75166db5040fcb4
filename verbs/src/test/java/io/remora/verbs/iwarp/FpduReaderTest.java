package io.remora.verbs.iwarp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Crc32c;
import io.remora.base.Sgl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Headers as RFC 5040, 5041, 5044 and 7306 draw them, and what the reader makes of frames that are wrong. */
class FpduReaderTest {
  private static final HexFormat HEX = HexFormat.of();

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      write     | 0012 c140 11223344 0102030405060708
      segment   | 0012 8140 11223344 0102030405060708
      response  | 0012 c142 11223344 0102030405060708
      read      | 002e 4141 00000000 00000001 00000007 00000000 a1a2a3a4 0102030405060708 00001000 b1b2b3b4 1112131415161718
      send      | 0016 4143 00000000 00000000 00000009 00000010
      send inv  | 0016 4144 c1c2c3c4 00000000 00000009 00000000
      imm       | 001a 4148 00000000 00000000 00000009 00000000 0a0b0c0d 00000000
      imm se    | 001a 4149 00000000 00000000 00000009 00000000 0a0b0c0d 00000000
      add       | 0046 414a 00000000 00000001 00000003 00000000 00000000 00000005 a1a2a3a4 0102030405060708 0000000000000009 \
      0000000000000000 0000000000000000 0000000000000000
      swap      | 0046 414a 00000000 00000001 00000003 00000000 00000002 00000005 a1a2a3a4 0102030405060708 0000000000000009 \
      ffffffffffffffff 0000000000000008 ffffffffffffffff
      answer    | 001e 414b 00000000 00000003 00000002 00000000 00000005 1112131415161718
      terminate | 0026 4147 00000000 00000002 00000001 00000000 1101c000 0012c140112233440102030405060708
      plain end | 0016 4147 00000000 00000002 00000001 00000000 20020000
      """)
  void headersAreAsTheSpecificationsDrawThem(String what, String expected) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = arena.allocate(128);
      long to = 0x0102030405060708L;
      MemorySegment other = arena.allocate(64);
      Fpdu.tagged(other, 0, Rdmap.WRITE, true, 4, 0x11223344, to);
      switch (what) {
        case "write" -> Fpdu.tagged(s, 0, Rdmap.WRITE, true, 4, 0x11223344, to);
        case "segment" -> Fpdu.tagged(s, 0, Rdmap.WRITE, false, 4, 0x11223344, to);
        case "response" -> Fpdu.tagged(s, 0, Rdmap.READ_RESPONSE, true, 4, 0x11223344, to);
        case "read" -> Fpdu.readRequest(s, 0, 7, 0xa1a2a3a4, to, 4096, 0xb1b2b3b4, 0x1112131415161718L);
        case "send" -> Fpdu.untagged(s, 0, Rdmap.SEND, true, 24, 0, 9, 16);
        case "send inv" -> Fpdu.untagged(s, 0, Rdmap.SEND_INVALIDATE, true, 24, 0xc1c2c3c4, 9, 0);
        case "imm" -> Fpdu.immediate(s, 0, false, 9, 0x0a0b0c0d);
        case "imm se" -> Fpdu.immediate(s, 0, true, 9, 0x0a0b0c0d);
        case "add" -> Fpdu.atomicRequest(s, 0, 3, Fpdu.ATOMIC_FETCH_ADD, 5, 0xa1a2a3a4, to, 9, 0);
        case "swap" -> Fpdu.atomicRequest(s, 0, 3, Fpdu.ATOMIC_COMPARE_SWAP, 5, 0xa1a2a3a4, to, 9, 8);
        case "answer" -> Fpdu.atomicResponse(s, 0, 2, 5, 0x1112131415161718L);
        case "terminate" -> Fpdu.terminate(s, 0, Terminate.TAGGED_BOUNDS, other, 0, Rdmap.TAGGED_BYTES);
        default -> Fpdu.terminate(s, 0, Terminate.CRC, other, 0, 0);
      }
      byte[] wanted = HEX.parseHex(expected.replace(" ", ""));
      assertThat(s.asSlice(0, wanted.length).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(wanted);
    }
  }

  @Test
  void theChecksumIsStoredWithItsLowByteFirst() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = arena.allocate(36);
      s.set(Fpdu.LE32, 32, new Crc32c().of(s, 0, 32));
      assertThat(s.asSlice(32, 4).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(HEX.parseHex("aa36918a"));
    }
  }

  @ParameterizedTest
  @CsvSource({"11000300,1100", "21020300,1202", "10010700,101", "1100c000,1100", "1202c000,1202", "0101e000,101",
    "20020000,2002",
    "02060000,206"})
  void aTerminateIsReadAsTheRfcHasItAndAsSiwWritesIt(String word, String cause) {
    assertThat(Integer.toHexString(Terminate.cause(HexFormat.fromHexDigits(word)))).isEqualTo(cause);
  }

  @ParameterizedTest
  @CsvSource({"00, ff, 2003", "01, 08, 2003", "02, 02, 1104", "02, 03, 1104", "03, 80, 205", "03, 08, 206",
    "03, 0f, 206", "03, 03, 206",
    "02, 80, 206"})
  void aFrameOfWrongFormEndsTheStream(String at, String xor, String cause) {
    byte[] stream = writes(1, 100, false);
    if (at.equals("00")) {
      stream[0] = 0;
      stream[1] = 13;
    } else if (at.equals("01")) {
      // A Read Request that is shorter than Read Requests are.
      stream[2] = 0x41;
      stream[3] = 0x41;
      stream[1] = 40;
    } else {
      stream[HexFormat.fromHexDigits(at)] ^= (byte) HexFormat.fromHexDigits(xor);
    }
    assertThat(Integer.toHexString(read(stream, false, 7, sink -> {}))).isEqualTo(cause);
  }

  @Test
  void withChecksumsAFrameTouchesMemoryOnlyWhenItsChecksumHolds() {
    byte[] good = writes(3, 5000, true);
    int[] placed = new int[1];
    assertThat(read(good, true, 3000, sink -> placed[0] += (int) sink.totalBytes())).isZero();
    assertThat(placed[0]).isEqualTo(3 * 5000);
    int frame = good.length / 3;
    for (int at = 2; at < frame; at += 97) {
      byte[] bad = good.clone();
      bad[frame + at] ^= 4;
      placed[0] = 0;
      assertThat(read(bad, true, 3000, sink -> placed[0] += (int) sink.totalBytes())).isEqualTo(Terminate.CRC);
      assertThat(placed[0]).isEqualTo(5000);
    }
  }

  @Test
  void theEndOfAStreamIsInOrderBetweenFramesOnly() {
    for (boolean crc : new boolean[] {false, true}) {
      byte[] stream = writes(2, 300, crc);
      for (int length = 0; length <= stream.length; length++) {
        try (Arena arena = Arena.ofConfined()) {
          FpduReader reader = reader(arena, crc, new Sinks(arena.allocate(300), sink -> {}));
          BytesSocket socket = new BytesSocket(Arrays.copyOf(stream, length), 0, 50, new SplittableRandom(length));
          while (reader.advance(socket, 1000) != FpduReader.Progress.CLOSED) {
          }
          assertThat(reader.betweenFrames()).as("after %d bytes", length).isEqualTo(length % (stream.length / 2) == 0);
        }
      }
    }
  }

  /** {@code count} Writes of {@code payload} bytes each. */
  private static byte[] writes(int count, int payload, boolean crc) {
    try (Arena arena = Arena.ofConfined()) {
      int frame = Fpdu.frameBytes(Rdmap.TAGGED_BYTES - Fpdu.LENGTH_BYTES + payload);
      MemorySegment s = arena.allocate((long) count * frame);
      for (int i = 0; i < count; i++) {
        long at = (long) i * frame;
        Fpdu.tagged(s, at, Rdmap.WRITE, true, payload, 5, 6);
        if (crc) {
          s.set(Fpdu.LE32, at + frame - 4, new Crc32c().of(s, at, frame - 4));
        }
      }
      return s.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Reads to the end; returns why the stream was wrong, 0: it was not. */
  private static int read(byte[] stream, boolean crc, int maxPiece, Consumer<Sgl> onSink) {
    try (Arena arena = Arena.ofConfined()) {
      Sinks sinks = new Sinks(arena.allocate(Fpdu.MAX_BYTES), onSink);
      FpduReader reader = reader(arena, crc, sinks);
      BytesSocket socket = new BytesSocket(stream, 0, maxPiece, new SplittableRandom(stream.length));
      FpduReader.Progress progress = reader.advance(socket, 1000);
      while (progress != FpduReader.Progress.CLOSED && progress != FpduReader.Progress.STOPPED) {
        progress = reader.advance(socket, 1000);
      }
      assertThat(progress == FpduReader.Progress.STOPPED).isEqualTo(sinks.cause != 0);
      return sinks.cause;
    }
  }

  private static FpduReader reader(Arena arena, boolean crc, Sinks sinks) {
    FpduReader reader = new FpduReader(arena.allocate(FpduReader.STAGING_BYTES), sinks);
    if (crc) {
      reader.checksums(arena.allocate(FpduReader.STAGING_BYTES));
    }
    return reader;
  }

  private static final class Sinks implements FpduReader.Handler {
    private final MemorySegment memory;
    private final Consumer<Sgl> onSink;
    private int cause;

    Sinks(MemorySegment memory, Consumer<Sgl> onSink) {
      this.memory = memory;
      this.onSink = onSink;
    }

    @Override
    public boolean onFrame(MemorySegment s, long at, int payloadBytes, Sgl sink) {
      sink.add(memory, 0, payloadBytes);
      onSink.accept(sink);
      return true;
    }

    @Override
    public boolean onResume() {
      return true;
    }

    @Override
    public void onFrameEnd() {}

    @Override
    public void onBad(int why, MemorySegment s, long at, int length) {
      cause = why;
    }
  }
}
