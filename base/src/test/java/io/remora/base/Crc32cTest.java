package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class Crc32cTest {
  private final Crc32c crc = new Crc32c();

  @Test
  void knownValues() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment digits = arena.allocateFrom("123456789", StandardCharsets.US_ASCII);
      MemorySegment zeros = arena.allocate(32);
      assertThat(crc.of(digits, 0, 9)).isEqualTo(0xE3069283);
      // RFC 3720, B.4.
      assertThat(crc.of(zeros, 0, 32)).isEqualTo(0x8A9136AA);
      assertThat(crc.of(zeros, 0, 0)).isZero();
    }
  }

  @Test
  void segmentsOfOnePlaceAreToldApart() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment whole = arena.allocate(64);
      assertThat(crc.of(whole.asSlice(0, 16), 0, 16)).isEqualTo(crc.of(whole, 0, 16));
      assertThat(crc.of(whole, 0, 32)).isEqualTo(0x8A9136AA);
    }
  }

  @Test
  void piecesOfAListGiveTheValueOfTheWhole() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    try (Arena arena = Arena.ofConfined()) {
      byte[] bytes = new byte[10_000];
      random.nextBytes(bytes);
      Sgl list = new Sgl();
      int at = 0;
      while (at < bytes.length) {
        int length = Math.min(bytes.length - at, 1 + random.nextInt(3000));
        MemorySegment piece = arena.allocate(length + 7);
        MemorySegment.copy(bytes, at, piece, ValueLayout.JAVA_BYTE, 7, length);
        list.add(piece, 7, length);
        at += length;
      }
      for (int i = 0; i < 50; i++) {
        int from = random.nextInt(bytes.length);
        int length = random.nextInt(bytes.length - from + 1);
        CRC32C expected = new CRC32C();
        expected.update(bytes, from, length);
        crc.reset();
        int split = random.nextInt(length + 1);
        crc.update(list, from, split);
        crc.update(list, from + split, length - split);
        assertThat(crc.value()).as("seed %d, %d+%d", seed, from, length).isEqualTo((int) expected.getValue());
      }
    }
  }
}
