package io.remora.verbs.tool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.tool.PerftestJob.Operation;
import io.remora.verbs.tool.PerftestMessages.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes of the first connection, against those that two programs of perftest 4.5 (6.06) have exchanged over siw. */
class PerftestMessagesTest {
  /** Of an {@code ib_read_bw} server. */
  private static final String SEEN = "00000000" + "00000080" + "00000004" + "0040ddd4" + "b01d7c00" + "00000000"
      + "0000563c3df6f000" + "52540024d8740000" + "0000000000000000" + "00000000" + "00000000";

  @Test
  void memoryIsReadAsItWasSeen() {
    Memory memory = Memory.read(bytes(SEEN));
    assertThat(memory).isEqualTo(new Memory(0x563c3df6f000L, 0xb01d7c00, 128, 4));
  }

  @Test
  void memoryIsWrittenAsItWasSeen() {
    MemorySegment message = of(56);
    message.fill((byte) 0x77);
    Memory.read(bytes(SEEN)).write(message);
    // But for the packet sequence number and the global identifier, which the connection manager cares for.
    assertThat(hex(message))
        .isEqualTo(SEEN.replace("0040ddd4", "00000000").replace("52540024d8740000", "0".repeat(16)));
  }

  @Test
  void memoryBeyondTheLastAddressIsRefused() {
    Memory memory = new Memory(-4096, 1, 0, 0);
    assertThat(memory.holding(4095)).isSameAs(memory);
    assertThatThrownBy(() -> memory.holding(4097)).isInstanceOfSatisfying(RemoraException.class,
        e -> assertThat(e.status()).isEqualTo(Status.PROTOCOL_ERROR));
  }

  @Test
  void theSmallOnesAreWrittenAsTheyWereSeen() {
    PerftestTalk talk = new PerftestTalk(() -> Memory.NONE, () -> new PerftestReport(100, 200, 0, 0.5, 0));
    assertThat(said(talk, PerftestStep.VERSION)).isEqualTo("362e3036000000000000000000000000");
    assertThat(said(talk, PerftestStep.CYCLE)).isEqualTo("00001000");
    assertThat(said(talk, PerftestStep.LINE)).isEqualTo("00000040");
    assertThat(said(talk, PerftestStep.MTU)).isEqualTo("3300");
    assertThat(said(talk, PerftestStep.SIZE)).isEqualTo("0000000000000064");
    assertThat(said(talk, PerftestStep.ITERATIONS)).isEqualTo("00000000000000c8");
    assertThat(said(talk, PerftestStep.AVERAGE)).isEqualTo("3fe0000000000000");
  }

  @Test
  void aReportIsReadAsItWasSeen() {
    PerftestTalk talk = new PerftestTalk(() -> Memory.NONE, () -> PerftestReport.NONE);
    talk.read(PerftestStep.SIZE, bytes("0000000000000064"));
    talk.read(PerftestStep.ITERATIONS, bytes("00000000000000c8"));
    talk.read(PerftestStep.PEAK, bytes("400024214bfd6be4"));
    talk.read(PerftestStep.AVERAGE, bytes("3fec880cb948afd4"));
    talk.read(PerftestStep.RATE, bytes("3f8325aa2f18e765"));
    assertThat(talk.said().bytes()).isEqualTo(100);
    assertThat(talk.said().iterations()).isEqualTo(200);
    assertThat(talk.said().peakMiBPerSecond()).isBetween(2.017, 2.018);
    assertThat(talk.said().averageMiBPerSecond()).isBetween(0.891, 0.892);
    assertThat(talk.said().millionsPerSecond()).isBetween(0.0093, 0.0094);
  }

  @ParameterizedTest
  @ValueSource(strings = {"6.06", "5.70", "6.27", "6.10rc1"})
  void versionsThatSpeakSo(String version) {
    assertThat(PerftestMessages.readVersion(version(version))).isEqualTo(version);
  }

  @ParameterizedTest
  @CsvSource({"5.69, UNSUPPORTED", "6.28, UNSUPPORTED", "7.0, UNSUPPORTED", "six, PROTOCOL_ERROR",
    "'', PROTOCOL_ERROR", "6, PROTOCOL_ERROR", "9999999999999.1, PROTOCOL_ERROR"})
  void versionsThatDoNot(String version, Status status) {
    assertThatThrownBy(() -> PerftestMessages.readVersion(version(version))).isInstanceOfSatisfying(
        RemoraException.class, e -> assertThat(e.status()).isEqualTo(status));
  }

  @Test
  void aVersionWithoutAnEndIsText() {
    MemorySegment full = of(16);
    full.fill((byte) 0xff);
    assertThatThrownBy(() -> PerftestMessages.readVersion(full)).hasMessageContaining("????????????????");
  }

  @ParameterizedTest
  @CsvSource({"CYCLE, 00000000", "CYCLE, ffffffff", "CYCLE, 00100001", "LINE, 00000000", "LINE, 00000801",
    "LINE, 80000000"})
  void strangeSizesAreRefused(PerftestStep step, String message) {
    PerftestTalk talk = new PerftestTalk(() -> Memory.NONE, () -> PerftestReport.NONE);
    assertThatThrownBy(() -> talk.read(step, bytes(message))).isInstanceOf(RemoraException.class);
  }

  @Test
  void theLongerPageCounts() {
    PerftestTalk talk = new PerftestTalk(() -> Memory.NONE, () -> PerftestReport.NONE);
    talk.read(PerftestStep.CYCLE, bytes("00010000"));
    talk.read(PerftestStep.LINE, bytes("00000080"));
    assertThat(talk.slots(100)).isEqualTo(new PerftestSlots(100, 65_536, 128));
  }

  @ParameterizedTest
  @CsvSource({"1, 64, 64", "8, 64, 64", "64, 64, 64", "65, 128, 32", "100, 128, 32", "2048, 2048, 2",
    "2049, 2112, 1", "65536, 65536, 1"})
  void placesOfABuffer(int bytes, int stride, int count) {
    PerftestSlots slots = new PerftestSlots(bytes, 4096, 64);
    assertThat(slots.stride()).isEqualTo(stride);
    assertThat(slots.count()).isEqualTo(count);
    assertThat(slots.lengthBytes()).isEqualTo(Math.max(bytes, 4096));
    long turns = 0;
    for (int slot = 0; slot < count; slot++) {
      assertThat(slots.offset(slot) + bytes).isLessThanOrEqualTo(slots.lengthBytes());
      turns += slots.turns(slot, 1001);
    }
    assertThat(turns).isEqualTo(1001);
  }

  @Test
  void stepsAreThoseThatWereSeen() {
    assertThat(PerftestStep.of(Operation.SEND)).extracting(PerftestStep::bytes).containsExactly(16, 4, 4, 2, 56, 0,
        56, 56, 56, 56, 56, 0, 56);
    for (Operation operation : new Operation[] {Operation.WRITE, Operation.READ, Operation.FETCH_AND_ADD}) {
      assertThat(PerftestStep.of(operation)).extracting(PerftestStep::bytes).containsExactly(16, 4, 4, 2, 56, 0, 56,
          56, 56, 56, 0, 56, 8, 8, 8, 8, 8, 56);
    }
  }

  @Test
  void jobsThatMakeNoSense() {
    assertThat(PerftestJob.of(Operation.parse("atomic"), 8, 1, 1).operation()).isEqualTo(Operation.FETCH_AND_ADD);
    assertThat(Operation.parse("compare-and-swap")).isEqualTo(Operation.COMPARE_AND_SWAP);
    assertThatThrownBy(() -> Operation.parse("swap")).hasMessageContaining("compare-and-swap");
    assertThatThrownBy(() -> PerftestJob.of(Operation.FETCH_AND_ADD, 16, 1, 1)).hasMessageContaining("8 bytes");
    assertThatThrownBy(() -> PerftestJob.of(Operation.WRITE, 0, 1, 1)).isInstanceOf(RemoraException.class);
    assertThatThrownBy(() -> PerftestJob.of(Operation.WRITE, 1, 0, 1)).isInstanceOf(RemoraException.class);
    assertThatThrownBy(() -> PerftestJob.of(Operation.WRITE, 1, 1, 0)).isInstanceOf(RemoraException.class);
    assertThatThrownBy(() -> PerftestJob.of(Operation.SEND, 8 << 20, 1000, 1)).hasMessageContaining("MiB");
    assertThatThrownBy(() -> PerftestJob.of(Operation.READ, 8 << 20, 1000, 128)).hasMessageContaining("MiB");
  }

  private static String said(PerftestTalk talk, PerftestStep step) {
    MemorySegment message = of(step.bytes());
    message.fill((byte) 0x77);
    talk.write(step, message);
    return hex(message);
  }

  private static MemorySegment version(String text) {
    MemorySegment message = of(16);
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, message, 0, bytes.length);
    return message;
  }

  private static MemorySegment of(int bytes) {
    return MemorySegment.ofArray(new byte[bytes]);
  }

  private static MemorySegment bytes(String hex) {
    return MemorySegment.ofArray(HexFormat.of().parseHex(hex));
  }

  private static String hex(MemorySegment message) {
    return HexFormat.of().formatHex(message.toArray(ValueLayout.JAVA_BYTE));
  }
}
