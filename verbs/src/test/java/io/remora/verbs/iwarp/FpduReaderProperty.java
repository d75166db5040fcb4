package io.remora.verbs.iwarp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.RemoraException;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.sim.Seeds;
import io.remora.verbs.capture.TcpCapture;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What siw sent, mutated: the reader never throws, never writes outside of what it was given, and ends. */
class FpduReaderProperty {
  private static final int ROUNDS = 4000;

  @Test
  void mutatedStreamsDoNoHarm() throws IOException {
    List<byte[]> streams = new ArrayList<>();
    for (String name : List.of("rping-siw", "rping-siw-crc", "send-siw-mpa1", "verbs-siw-out-of-bounds",
        "verbs-siw-bad-key")) {
      TcpCapture.of(name).forEach(stream -> streams.add(stream.bytes().array()));
    }
    int[] outcomes = new int[3];
    for (long seed : Seeds.of(1)) {
      SplittableRandom random = new SplittableRandom(seed);
      try (Arena arena = Arena.ofConfined()) {
        Checker checker = new Checker(arena);
        for (int round = 0; round < ROUNDS; round++) {
          byte[] stream = mutated(streams.get(random.nextInt(streams.size())), random);
          try {
            outcomes[checker.run(stream, random)]++;
          } catch (RuntimeException | AssertionError e) {
            throw new AssertionError("seed " + seed + ", round " + round, e);
          }
        }
      }
    }
    assertThat(outcomes[0]).as("refused handshakes").isPositive();
    assertThat(outcomes[1]).as("refused frames").isPositive();
    assertThat(outcomes[2]).as("streams to the end").isPositive();
  }

  private static byte[] mutated(byte[] stream, SplittableRandom random) {
    byte[] bytes = stream.clone();
    for (int i = random.nextInt(4); i > 0; i--) {
      int at = random.nextInt(random.nextInt(4) == 0 ? 40 : bytes.length);
      switch (random.nextInt(3)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt();
        default -> System.arraycopy(bytes, at, bytes, random.nextInt(at + 1), bytes.length - at);
      }
    }
    return bytes;
  }

  /** Gives each payload exactly the memory that it needs, between bytes that must not change. */
  private static final class Checker implements FpduReader.Handler {
    private static final byte FENCE = 0x33;
    private static final int GAP = 16;

    private final MemorySegment staging;
    private final MemorySegment own;
    private final MemorySegment memory;
    private int payload;
    private boolean inFrame;
    private boolean refused;
    private boolean refuses;
    private FpduReader reader;

    Checker(Arena arena) {
      staging = arena.allocate(FpduReader.STAGING_BYTES);
      own = arena.allocate(FpduReader.STAGING_BYTES);
      memory = arena.allocate(Fpdu.MAX_BYTES + 2 * GAP);
      reader = new FpduReader(staging, this);
    }

    /** 0: the handshake was refused, 1: a frame was, 2: neither. */
    int run(byte[] stream, SplittableRandom random) {
      int from;
      boolean crc;
      try {
        Mpa mpa = Mpa.parse(MemorySegment.ofArray(stream), stream[9] == 'p');
        from = mpa.encode().length;
        crc = mpa.has(Mpa.CRC);
      } catch (RemoraException e) {
        assertThat(e.status()).isEqualTo(Status.PROTOCOL_ERROR);
        return 0;
      } catch (IndexOutOfBoundsException e) {
        // Shorter than it says: the connection reads as many bytes before it parses.
        return 0;
      }
      reader = new FpduReader(staging, this);
      if (crc && random.nextBoolean()) {
        reader.checksums(own);
      }
      reader.extended(random.nextBoolean());
      refused = false;
      refuses = random.nextInt(4) == 0;
      inFrame = false;
      BytesSocket socket = new BytesSocket(stream, from, 1 + random.nextInt(3000), random);
      FpduReader.Progress progress = reader.advance(socket, 500);
      while (progress != FpduReader.Progress.CLOSED && progress != FpduReader.Progress.STOPPED) {
        progress = reader.advance(socket, 500);
      }
      assertThat(progress == FpduReader.Progress.STOPPED).isEqualTo(refused);
      return refused ? 1 : 2;
    }

    @Override
    public boolean onFrame(MemorySegment s, long at, int payloadBytes, Sgl sink) {
      assertThat(inFrame || refused).isFalse();
      int opcode = Fpdu.opcode(Fpdu.control(s, at));
      int headerBytes = opcode == Rdmap.TERMINATE
          ? Fpdu.LENGTH_BYTES + Fpdu.ulpduLength(s, at)
          : Rdmap.headerBytes(opcode);
      assertThat(headerBytes + payloadBytes).isEqualTo(Fpdu.LENGTH_BYTES + Fpdu.ulpduLength(s, at));
      if (refuses && payloadBytes % 7 == 3) {
        refused = true;
        reader.stop();
        return false;
      }
      inFrame = true;
      payload = payloadBytes;
      memory.asSlice(0, GAP).fill(FENCE);
      memory.asSlice(GAP + payload, GAP).fill(FENCE);
      sink.add(memory, GAP, payload);
      return true;
    }

    @Override
    public boolean onResume() {
      return true;
    }

    @Override
    public void onFrameEnd() {
      assertThat(inFrame).isTrue();
      inFrame = false;
      for (int i = 0; i < GAP; i++) {
        assertThat(memory.get(ValueLayout.JAVA_BYTE, i)).isEqualTo(FENCE);
        assertThat(memory.get(ValueLayout.JAVA_BYTE, GAP + payload + i)).isEqualTo(FENCE);
      }
    }

    @Override
    public void onBad(int cause, MemorySegment s, long at, int length) {
      assertThat(inFrame || refused).isFalse();
      refused = true;
      assertThat(Terminate.text(cause)).isNotEmpty();
      MemorySegment out = s.asSlice(at, length);
      assertThat(out.byteSize()).isEqualTo(length);
    }
  }
}
