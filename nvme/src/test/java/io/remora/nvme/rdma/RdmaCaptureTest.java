package io.remora.nvme.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.Cqe;
import io.remora.nvme.Sqe;
import io.remora.nvme.capture.Pcap;
import io.remora.nvme.rdma.CapturedMessages.Kind;
import io.remora.nvme.rdma.CapturedMessages.Message;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What two Linux kernels said to each other by NVMe/RDMA: private data and capsules are decoded and encoded again to the same bytes, and keys are used as the commands say.
 */
class RdmaCaptureTest {
  private final Map<String, Integer> counts = new TreeMap<>();
  private final MemorySegment out = Arena.ofAuto().allocate(64, 8);
  /** The keyed data of commands that were not answered, by key. */
  private final Map<Integer, long[]> exported = new HashMap<>();

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      nvme-rdma-siw         | IWARP
      nvme-rdma-siw-crc     | IWARP
      nvme-rdma-rxe         | ROCE
      nvme-rdma-rxe-mtu4096 | ROCE
      """)
  void everyMessageIsEncodedToTheSameBytes(String name, String fabric) throws IOException {
    List<Message> messages = fabric.equals("IWARP")
        ? CapturedMessages.iwarp(Pcap.resource(name + ".pcap.gz"))
        : CapturedMessages.roce(Pcap.resource(name + ".pcap.gz"));
    // The streams of the two directions stand one behind the other: commands first.
    List<Message> ordered = new ArrayList<>(messages.stream().filter(Message::toTarget).toList());
    messages.stream().filter(m -> !m.toTarget()).forEach(ordered::add);
    ordered.forEach(this::check);
    System.out.println(name + ": " + counts);
    assertThat(counts).containsEntry("connects", 4).containsEntry("accepts", 4).containsEntry("queue 0", 2)
        .containsEntry("queue 1", 1)
        .containsEntry("queue 2", 1);
    // Two requests for asynchronous events are still held at the end.
    assertThat(counts).containsEntry("commands", 77).containsEntry("responses", 75);
    assertThat(counts.get("keyed, to be invalidated")).isGreaterThan(30);
    assertThat(counts.get("in the capsule")).isPositive();
    assertThat(counts.get("invalidating")).isGreaterThan(30);
    assertThat(counts.get("reads")).isPositive();
    assertThat(counts.get("writes")).isPositive();
  }

  /** Unknown subsystem, host not allowed: refused by the response to Connect. A port where nobody listens: reason 8, without private data. */
  @Test
  void rejectionsAreRead() throws IOException {
    List<Message> messages = CapturedMessages.roce(Pcap.resource("nvme-rdma-rxe-refused.pcap.gz"));
    List<Message> rejects = messages.stream().filter(m -> m.kind() == Kind.REJECT).toList();
    assertThat(rejects).isNotEmpty().allMatch(m -> m.connection() == 8);
    assertThat(messages.stream().filter(m -> m.kind() == Kind.CONNECT).count()).isGreaterThanOrEqualTo(3);
  }

  private void check(Message message) {
    MemorySegment in = message.data();
    switch (message.kind()) {
      case CONNECT -> {
        assertThat(message.toTarget()).isTrue();
        PrivateData.Request request = PrivateData.Request.parse(in);
        same(request.encode(), message.data());
        assertThat(request.format()).isZero();
        assertThat(request.receives()).isEqualTo(request.lastEntry() + 1);
        assertThat(request.queueId() == 0 ? request.receives() == 32 : request.receives() >= 32).isTrue();
        count("connects");
        count("queue " + request.queueId());
      }
      case ACCEPT -> {
        PrivateData.Accept accept = PrivateData.Accept.parse(in);
        same(accept.encode(), message.data());
        assertThat(accept.receives()).isGreaterThanOrEqualTo(32);
        count("accepts");
      }
      case REJECT -> throw new AssertionError(message);
      case SEND, SEND_WITH_INVALIDATE -> {
        if (message.toTarget()) {
          command(in, message);
        } else {
          response(in, message);
        }
      }
      case WRITE -> {
        inside(message);
        count("writes");
      }
      case READ -> {
        inside(message);
        count("reads");
      }
    }
  }

  private void command(MemorySegment in, Message message) {
    assertThat(Sqe.flags(in, 0)).isEqualTo(Sqe.PSDT_SGL);
    Sqe.begin(out, 0, Sqe.opcode(in, 0), Sqe.cid(in, 0), Sqe.nsid(in, 0));
    int type = Sqe.sglType(in, 0);
    if (Sqe.keyed(in, 0)) {
      assertThat(message.data().byteSize()).isEqualTo(Sqe.BYTES);
      int length = (int) Sqe.keyedLength(in, 0);
      int key = Sqe.sglKey(in, 0);
      Sqe.keyedSgl(out, 0, type, Sqe.sglAddress(in, 0), length, key);
      if (length > 0) {
        exported.put(key, new long[] {Sqe.sglAddress(in, 0), length});
      }
      count(type == Sqe.SGL_KEYED_INVALIDATE ? "keyed, to be invalidated" : length == 0 ? "without data" : "keyed");
    } else {
      assertThat(type).isEqualTo(Sqe.SGL_IN_CAPSULE);
      assertThat(Sqe.sglAddress(in, 0)).isZero();
      assertThat(message.data().byteSize()).isEqualTo(Sqe.BYTES + (int) Sqe.sglLength(in, 0));
      Sqe.sgl(out, 0, type, 0, Sqe.sglLength(in, 0));
      count("in the capsule");
    }
    for (int n = 10; n <= 15; n++) {
      Sqe.dword(out, 0, n, Sqe.dword(in, 0, n));
    }
    same(out, message.data());
    count("commands");
  }

  private void response(MemorySegment in, Message message) {
    assertThat(message.data().byteSize()).isEqualTo(Cqe.BYTES);
    Cqe.write(out, 0, Cqe.result(in, 0), Cqe.sqhd(in, 0), Cqe.sqid(in, 0), Cqe.cid(in, 0), Cqe.status(in, 0));
    same(out, message.data());
    if (message.kind() == Kind.SEND_WITH_INVALIDATE) {
      assertThat(exported).as("the key of a command").containsKey(message.key());
      count("invalidating");
    }
    count("responses");
  }

  /** Data goes only where a command has exported it. */
  private void inside(Message message) {
    assertThat(message.toTarget()).isFalse();
    long[] range = exported.get(message.key());
    assertThat(range).as("the key of a command").isNotNull();
    if (range != null) {
      assertThat(message.address()).isBetween(range[0], range[0] + range[1] - 1);
    }
  }

  private static void same(MemorySegment encoded, MemorySegment captured) {
    long length = Math.min(encoded.byteSize(), captured.byteSize());
    assertThat(encoded.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE))
        .isEqualTo(captured.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
  }

  private void count(String what) {
    counts.merge(what, 1, Integer::sum);
  }
}
