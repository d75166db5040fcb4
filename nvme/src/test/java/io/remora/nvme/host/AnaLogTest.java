package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.AnaState;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnaLogTest {
  private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** A page with room for {@code groups} groups. */
  private static MemorySegment page(int groups, int claimed) {
    MemorySegment page = Arena.ofAuto().allocate(16 + 32L * groups, 8);
    page.set(LE32, 8, claimed);
    return page;
  }

  private static void group(MemorySegment page, long at, int id, int namespaces, int state) {
    page.set(LE32, at, id);
    page.set(LE32, at + 4, namespaces);
    page.set(ValueLayout.JAVA_BYTE, at + 16, (byte) state);
  }

  @Test
  void readsGroups() {
    MemorySegment page = page(4, 2);
    group(page, 16, 7, 0, 0x1);
    group(page, 48, 9, 0, 0xF);
    assertThat(AnaLog.parse(page, 4)).isEqualTo(Map.of(7, AnaState.OPTIMIZED, 9, AnaState.CHANGE));
  }

  /** Some controllers list the namespaces though they were asked not to. */
  @Test
  void skipsNamespaces() {
    MemorySegment page = page(4, 2);
    group(page, 16, 7, 3, 0x3);
    group(page, 60, 9, 0, 0x2);
    assertThat(AnaLog.parse(page, 4)).isEqualTo(Map.of(7, AnaState.INACCESSIBLE, 9, AnaState.NON_OPTIMIZED));
  }

  @ParameterizedTest
  @CsvSource({"5, 1, 0, 2, 1, more than the 4", "2, 7, 0, 7, 1, twice", "2, 7, 0, 0, 1, group 0",
    "2, 7, 0, 8, 5, state 5h", "2, 7, -1, 8, 1, cut off", "2, 7, 25, 8, 1, cut off"})
  void refusesWhatMakesNoSense(int claimed, int first, int namespaces, int second, int state, String text) {
    MemorySegment page = page(4, claimed);
    group(page, 16, first, namespaces, 1);
    group(page, 48, second, 0, state);
    assertThatThrownBy(() -> AnaLog.parse(page, 4)).isInstanceOf(RemoraException.class).hasMessageContaining(text)
        .extracting(e -> ((RemoraException) e).status()).isEqualTo(Status.PROTOCOL_ERROR);
  }
}
