package io.remora.bench;

import io.remora.base.Sgl;
import io.remora.nvme.Cqe;
import io.remora.nvme.Sqe;
import io.remora.nvme.tcp.Pdu;
import io.remora.nvme.tcp.PduReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** NVMe/TCP PDUs: answers written, command capsules cut out of a stream, with and without data and digests. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"})
public class PduBenchmark {
  private static final int PDUS = 64;

  /** In-capsule data of each command. */
  @Param({"0", "4096"})
  int dataBytes = 0;

  @Param({"false", "true"})
  boolean digests = false;

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment answers = arena.allocate(PDUS * 24L);
  private CannedSocket socket = new CannedSocket(arena.allocate(1));
  private PduReader reader = reader();
  private long seen;

  @Setup
  public void make() {
    PduStream stream = new PduStream(arena, digests);
    socket = new CannedSocket(stream.capsules(PDUS, dataBytes));
    reader = reader();
    reader.advance(new CannedSocket(stream.icReq()), Long.MAX_VALUE);
    reader.digests(digests, digests);
  }

  /** A CapsuleResp: common header and completion entry. */
  @Benchmark
  @OperationsPerInvocation(PDUS)
  public long encode() {
    for (int i = 0; i < PDUS; i++) {
      long base = i * 24L;
      Pdu.common(answers, base, Pdu.CAPSULE_RESP, 0, Pdu.SHORT_BYTES, 0, Pdu.SHORT_BYTES);
      Cqe.write(answers, base + Pdu.COMMON_BYTES, 0, i, i, 0);
    }
    return Cqe.cid(answers, 8);
  }

  /** A CapsuleCmd: read, checked, taken apart. */
  @Benchmark
  @OperationsPerInvocation(PDUS)
  public long decode() {
    socket.rewind();
    PduReader.Progress progress = reader.advance(socket, Long.MAX_VALUE);
    if (progress != PduReader.Progress.DRAINED) {
      throw new IllegalStateException("ended with " + progress);
    }
    return seen;
  }

  private PduReader reader() {
    return new PduReader(PduReader.Role.TARGET, arena.allocate(64 << 10, 4096), 8192, new PduReader.Handler() {
      @Override
      public boolean onPdu(MemorySegment s, long base, long data, int dataLength, boolean digestOk) {
        if (!digestOk || (Pdu.type(s, base) == Pdu.CAPSULE_CMD && dataLength != dataBytes)) {
          throw new IllegalStateException("a wrong PDU");
        }
        seen += Sqe.cid(s, base + Pdu.COMMON_BYTES) + Sqe.opcode(s, base + Pdu.COMMON_BYTES);
        return true;
      }

      @Override
      public @Nullable Sgl onData(MemorySegment s, long base) {
        throw new IllegalStateException("no H2CData in the stream");
      }

      @Override
      public void onDataEnd(boolean digestOk) {}

      @Override
      public void onBad(int fes, long fei, MemorySegment s, long base, int length) {
        throw new IllegalStateException("refused: " + fes + " " + fei);
      }
    });
  }
}
