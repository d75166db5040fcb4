package io.remora.verbs.tool;

import io.remora.base.RemoraException;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/** What an end says on the first connection, and what it has heard. Belongs to its connection's loop. */
final class PerftestTalk {
  private static final int PAGE_BYTES = 4096;
  private static final int MAX_PAGE_BYTES = 1 << 20;
  private static final int LINE_BYTES = 64;

  private final Supplier<PerftestMessages.Memory> offered;
  private final Supplier<PerftestReport> report;
  private int cycle = PAGE_BYTES;
  private int line = LINE_BYTES;
  private PerftestMessages.Memory heard = PerftestMessages.Memory.NONE;
  private PerftestReport said = PerftestReport.NONE;

  /**
   * Asks for what it has to say when it says it.
   *
   * @param offered this end's memory
   * @param report of this end's run
   */
  PerftestTalk(Supplier<PerftestMessages.Memory> offered, Supplier<PerftestReport> report) {
    this.offered = offered;
    this.report = report;
  }

  /** How to go through the server's buffer in operations of {@code bytes}, as agreed after {@link PerftestStep#LINE}. */
  PerftestSlots slots(int bytes) {
    return new PerftestSlots(bytes, cycle, line);
  }

  /** The other end's memory. */
  PerftestMessages.Memory heard() {
    return heard;
  }

  /** What the other end says of the run. */
  PerftestReport said() {
    return said;
  }

  /** Fills in this end's message. */
  void write(PerftestStep step, MemorySegment message) {
    switch (step) {
      case VERSION -> PerftestMessages.writeVersion(message);
      case CYCLE -> PerftestMessages.writeInt(message, PAGE_BYTES);
      case LINE -> PerftestMessages.writeInt(message, LINE_BYTES);
      case MTU -> PerftestMessages.writeMtu(message);
      case READY, CONNECTED -> message.fill((byte) 0);
      // Each replaces what the other end knows.
      case MEMORY, MEMORY_AGAIN, MEMORY_ONCE_MORE, START, DONE, CLOSE -> offered.get().write(message);
      case SIZE -> PerftestMessages.writeLong(message, report.get().bytes());
      case ITERATIONS -> PerftestMessages.writeLong(message, report.get().iterations());
      case PEAK -> PerftestMessages.writeDouble(message, report.get().peakMiBPerSecond());
      case AVERAGE -> PerftestMessages.writeDouble(message, report.get().averageMiBPerSecond());
      case RATE -> PerftestMessages.writeDouble(message, report.get().millionsPerSecond());
      case CONNECT, RUN -> throw new IllegalArgumentException(step + " has no message");
    }
  }

  /** Takes the other end's message, of the step's length; throws {@link RemoraException} when it makes no sense. */
  void read(PerftestStep step, MemorySegment message) {
    switch (step) {
      case VERSION -> PerftestMessages.readVersion(message);
      case CYCLE -> cycle = Math.max(cycle, PerftestMessages.readInt(message, "a page", 1, MAX_PAGE_BYTES));
      case LINE -> line = Math.max(line, PerftestMessages.readInt(message, "a cache line", 1, PAGE_BYTES / 2));
      case MTU, READY, CONNECTED, DONE, CLOSE, START -> {
        // The connection manager has agreed on the MTU; the others are only there to be in time.
      }
      case MEMORY, MEMORY_AGAIN, MEMORY_ONCE_MORE -> heard = PerftestMessages.Memory.read(message);
      case SIZE -> said = said.withBytes(PerftestMessages.readLong(message));
      case ITERATIONS -> said = said.withIterations(PerftestMessages.readLong(message));
      case PEAK -> said = said.withPeak(PerftestMessages.readDouble(message));
      case AVERAGE -> said = said.withAverage(PerftestMessages.readDouble(message));
      case RATE -> said = said.withRate(PerftestMessages.readDouble(message));
      case CONNECT, RUN -> throw new IllegalArgumentException(step + " has no message");
    }
  }
}
