package io.remora.nvme.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.Cqe;
import io.remora.nvme.Sqe;
import io.remora.nvme.tcp.Pdu;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every NVMe/TCP PDU that two Linux kernels exchanged is decoded and encoded again to the same bytes. */
class CaptureTest {
  private static final int PORT = 4420;

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      nvme-tcp                   | 4 ICReq, 4 ICResp, 77 CapsuleCmd, 77 CapsuleResp, 40 C2HData, 2 R2T, 2 H2CData
      nvme-tcp-digests           | 4 ICReq, 4 ICResp, 77 CapsuleCmd, 77 CapsuleResp, 40 C2HData, 2 R2T, 2 H2CData, \
      164 header digests, 45 data digests
      nvme-tcp-loss              | 4 ICReq, 4 ICResp, 77 CapsuleCmd, 77 CapsuleResp, 40 C2HData, 2 R2T, 2 H2CData
      nvme-tcp-auth              | 3 ICReq, 3 ICResp, 44 CapsuleCmd, 43 CapsuleResp, 22 C2HData
      nvme-tcp-refused           | 2 ICReq, 2 ICResp, 2 CapsuleCmd, 2 CapsuleResp
      linux-6.1-nvme-tcp         | 4 ICReq, 4 ICResp, 79 CapsuleCmd, 79 CapsuleResp, 40 C2HData, 2 R2T, 2 H2CData
      linux-6.1-nvme-tcp-digests | 4 ICReq, 4 ICResp, 79 CapsuleCmd, 78 CapsuleResp, 40 C2HData, 2 R2T, 2 H2CData, \
      165 header digests, 45 data digests
      """)
  void everyPduIsEncodedToTheSameBytes(String name, String expected) throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    int late = 0;
    try (Arena arena = Arena.ofConfined()) {
      for (TcpStreams.Stream stream : TcpStreams.of(Pcap.resource(name + ".pcap.gz"))) {
        assertThat(stream.gap()).isFalse();
        assertThat(stream.sourcePort() == PORT || stream.targetPort() == PORT).isTrue();
        MemorySegment bytes = arena.allocate(stream.bytes().remaining(), 64);
        bytes.copyFrom(MemorySegment.ofBuffer(stream.bytes()));
        late += stream.late();
        new Rewriter(bytes, arena, counts).run();
      }
    }
    System.out.println(name + ": " + counts + ", " + late + " late segments");
    Map<String, Integer> wanted = new TreeMap<>();
    for (String part : expected.split(", ")) {
      String[] words = part.strip().split(" ", 2);
      wanted.put(words[1], Integer.valueOf(words[0]));
    }
    assertThat(counts).isEqualTo(wanted);
    assertThat(late > 0).as("late segments in " + name).isEqualTo(name.endsWith("-loss"));
  }

  /** Walks one stream, rewrites every PDU from its decoded fields, and compares. */
  private static final class Rewriter {
    private final MemorySegment in;
    private final MemorySegment out;
    private final Map<String, Integer> counts;

    Rewriter(MemorySegment in, Arena arena, Map<String, Integer> counts) {
      this.in = in;
      this.out = arena.allocate(Math.max(in.byteSize(), 8));
      this.counts = counts;
    }

    void run() {
      long at = 0;
      while (at < in.byteSize()) {
        assertThat(in.byteSize() - at).isGreaterThanOrEqualTo(Pdu.COMMON_BYTES);
        long length = Pdu.plen(in, at);
        assertThat(length).isBetween((long) Pdu.COMMON_BYTES, in.byteSize() - at);
        out.asSlice(at, length).fill((byte) 0x5e);
        rewrite(at, length);
        assertThat(out.asSlice(at, length).mismatch(in.asSlice(at, length)))
            .as("first byte that differs in the %s at %d", Pdu.name(Pdu.type(in, at)), at).isEqualTo(-1);
        count(Pdu.name(Pdu.type(in, at)));
        at += length;
      }
    }

    private void rewrite(long at, long length) {
      int type = Pdu.type(in, at);
      if (type == Pdu.IC_REQ || type == Pdu.IC_RESP) {
        assertThat(Pdu.formatVersion(in, at)).isZero();
        Pdu.initialize(out, at, type, Pdu.alignment(in, at), Pdu.digests(in, at), Pdu.limit(in, at));
        return;
      }
      int flags = Pdu.flags(in, at);
      int hlen = Pdu.hlen(in, at);
      int pdo = Pdu.pdo(in, at);
      Pdu.common(out, at, type, flags, hlen, pdo, length);
      switch (type) {
        case Pdu.CAPSULE_CMD -> command(at + Pdu.COMMON_BYTES);
        case Pdu.CAPSULE_RESP -> {
          long cqe = at + Pdu.COMMON_BYTES;
          Cqe.write(out, cqe, Cqe.result(in, cqe), Cqe.sqhd(in, cqe), Cqe.sqid(in, cqe), Cqe.cid(in, cqe),
              Cqe.status(in, cqe));
        }
        case Pdu.R2T, Pdu.H2C_DATA, Pdu.C2H_DATA -> Pdu.transfer(out, at, Pdu.cccid(in, at), Pdu.ttag(in, at),
            Pdu.dataOffset(in, at), Pdu.dataLength(in, at));
        default -> throw new AssertionError(Pdu.name(type));
      }
      long end = at + hlen;
      if ((flags & Pdu.FLAG_HDGST) != 0) {
        out.set(Pdu.LE32, end, crc32c(out.asSlice(at, hlen)));
        end += Pdu.DIGEST_BYTES;
        count("header digests");
      }
      if (pdo > 0) {
        data(at, length, end, pdo, flags);
      } else {
        assertThat(end).isEqualTo(at + length);
      }
    }

    private void data(long at, long length, long end, int pdo, int flags) {
      out.asSlice(end, at + pdo - end).fill((byte) 0);
      int digest = (flags & Pdu.FLAG_DDGST) != 0 ? Pdu.DIGEST_BYTES : 0;
      long dataLength = length - pdo - digest;
      MemorySegment.copy(in, at + pdo, out, at + pdo, dataLength);
      if (digest > 0) {
        out.set(Pdu.LE32, at + pdo + dataLength, crc32c(out.asSlice(at + pdo, dataLength)));
        count("data digests");
      }
    }

    private void command(long sqe) {
      assertThat(Sqe.flags(in, sqe)).isEqualTo(Sqe.PSDT_SGL);
      Sqe.begin(out, sqe, Sqe.opcode(in, sqe), Sqe.cid(in, sqe), Sqe.nsid(in, sqe));
      Sqe.sgl(out, sqe, Sqe.sglType(in, sqe), Sqe.sglAddress(in, sqe), Sqe.sglLength(in, sqe));
      for (int n = 10; n <= 15; n++) {
        Sqe.dword(out, sqe, n, Sqe.dword(in, sqe, n));
      }
    }

    private void count(String what) {
      counts.merge(what, 1, Integer::sum);
    }

    private static int crc32c(MemorySegment bytes) {
      CRC32C crc = new CRC32C();
      crc.update(bytes.asByteBuffer());
      return (int) crc.getValue();
    }
  }
}
