package io.remora.cli.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockPatternTest {
  private final MemorySegment block = Arena.ofAuto().allocate(4096);
  private final ByteBuffer view = block.asByteBuffer();
  private final BlockPattern pattern = new BlockPattern(7);

  @Test
  void acceptsWhatItWrote() {
    pattern.fill(block, view, 8192, 3);
    assertThat(pattern.check(block, view, 8192, 3)).isNull();
    assertThat(pattern.check(block, view, 8192, 0)).isNull();
    assertThat(new BlockPattern(8).check(block, view, 8192, 0)).isNull();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 8, 16, 24, 32, 36, 40, 511, 512, 2048, 4095})
  void seesOneChangedBitAnywhere(long at) {
    pattern.fill(block, view, 8192, 3);
    block.set(ValueLayout.JAVA_BYTE, at, (byte) (block.get(ValueLayout.JAVA_BYTE, at) ^ 0x10));
    assertThat(pattern.check(block, view, 8192, 3)).isNotNull();
  }

  @Test
  void seesAnOldWriteAndAMisdirectedOne() {
    pattern.fill(block, view, 8192, 3);
    assertThat(pattern.check(block, view, 8192, 4)).contains("older write").contains("number 3");
    assertThat(pattern.check(block, view, 4096, 3)).contains("offset 8192");
    assertThat(new BlockPattern(8).check(block, view, 8192, 3)).contains("seed 7");
  }

  @Test
  void seesZeros() {
    assertThat(pattern.check(block, view, 0, 0)).contains("no pattern").contains("0x0000000000000000");
  }

  @Test
  void seesAnotherBlockSize() {
    MemorySegment half = block.asSlice(0, 2048);
    pattern.fill(half, half.asByteBuffer(), 0, 1);
    assertThat(pattern.check(block, view, 0, 1)).contains("crc32c");
  }
}
