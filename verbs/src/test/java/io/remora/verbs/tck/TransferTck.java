package io.remora.verbs.tck;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** Conformance: every operation moves the data it says, and tells both ends what it must. */
public interface TransferTck extends Conformance {
  /** Windows that are shut between reads. */
  int SHUTS = 20;

  @Test
  default void messagesFillReceivesInOrder() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      int[] lengths = {1, 3, 64, 1000, 4096, 65_536, 0};
      for (int i = 0; i < lengths.length; i++) {
        pair.other.receive(100 + i, i * 1024L, 65_536);
      }
      byte[] last = {};
      for (int i = 0; i < lengths.length; i++) {
        byte[] sent = pair.one.fill(0, lengths[i], i);
        pair.one.post(pair.one.request(i, 0, lengths[i]));
        assertThat(pair.one.ok(i).opcode()).isEqualTo(CompletionOpcode.SEND);
        End.Completion completion = pair.other.ok(100 + i);
        assertThat(completion.opcode()).isEqualTo(CompletionOpcode.RECEIVE);
        assertThat(completion.length()).isEqualTo(lengths[i]);
        assertThat(completion.queuePair()).isEqualTo(pair.other.queuePair.number());
        assertThat(completion.immediate()).isNull();
        assertThat(pair.other.bytes(i * 1024L, lengths[i])).isEqualTo(sent);
        last = sent;
      }
      assertThat(last).isEmpty();
      // The other way.
      byte[] back = pair.other.fill(0, 5000, 77);
      pair.one.receive(1, 1000, 5000);
      pair.other.post(pair.other.request(2, 0, 5000));
      pair.other.ok(2);
      pair.one.ok(1);
      assertThat(pair.one.bytes(1000, 5000)).isEqualTo(back);
    }
  }

  @Test
  default void piecesAreGatheredAndScattered() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      byte[] sent = pair.one.fill(0, 40_000, 5);
      ReceiveRequest receive = new ReceiveRequest().id(9).add(pair.other.region, 100, 7)
          .add(pair.other.region, 50_000, 30_000)
          .add(pair.other.region, 10_000, 9993);
      assertThat(fabric.on(1, () -> pair.other.queuePair.postReceive(receive))).isEqualTo(Status.OK);
      pair.one.post(new SendRequest().id(1).send().add(pair.one.region, 30_000, 10_000).add(pair.one.region, 0, 1)
          .add(pair.one.region, 1, 29_999));
      pair.one.ok(1);
      assertThat(pair.other.ok(9).length()).isEqualTo(40_000);
      byte[] expected = new byte[40_000];
      System.arraycopy(sent, 30_000, expected, 0, 10_000);
      System.arraycopy(sent, 0, expected, 10_000, 30_000);
      ByteBuffer got = ByteBuffer.allocate(40_000).put(pair.other.bytes(100, 7)).put(pair.other.bytes(50_000, 30_000))
          .put(pair.other.bytes(10_000, 9993));
      assertThat(got.array()).isEqualTo(expected);
    }
  }

  @Test
  default void writesReachTheMemoryAndTellNobody() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      for (int length : new int[] {1, 8, 511, 4096, 200_000, 0}) {
        byte[] sent = pair.one.fill(0, length, length);
        byte[] before = pair.other.bytes(0, End.BYTES);
        pair.one.post(pair.one.request(length, 0, length).write(pair.other.address(33), pair.other.key()));
        assertThat(pair.one.ok(length).opcode()).isEqualTo(CompletionOpcode.WRITE);
        // A write is seen when a later message of the same queue pair is.
        pair.other.receive(1, End.BYTES - 64, 64);
        pair.one.post(pair.one.request(2, 0, 1));
        pair.one.ok(2);
        pair.other.ok(1);
        System.arraycopy(sent, 0, before, 33, length);
        assertThat(pair.other.bytes(0, End.BYTES - 64)).isEqualTo(Arrays.copyOf(before, End.BYTES - 64));
      }
      assertThat(pair.other.silent()).isTrue();
    }
  }

  @Test
  default void readsBringThePeersMemory() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      byte[] there = pair.other.fill(0, End.BYTES, 3);
      for (int length : new int[] {1, 8, 4095, 200_000, 0}) {
        pair.one.set(0, new byte[End.BYTES]);
        pair.one.post(pair.one.request(length, 17, length).read(pair.other.address(5), pair.other.key()));
        End.Completion completion = pair.one.ok(length);
        assertThat(completion.opcode()).isEqualTo(CompletionOpcode.READ);
        byte[] expected = new byte[End.BYTES];
        System.arraycopy(there, 5, expected, 17, length);
        assertThat(pair.one.bytes(0, End.BYTES)).isEqualTo(expected);
      }
      assertThat(pair.other.silent()).isTrue();
    }
  }

  @Test
  default void memoryThatIsNotRegisteredIsForOwnRequestsAlone() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric); Arena arena = Arena.ofShared()) {
      if (!pair.one.can(Capability.RESERVED_LKEY)) {
        Refusal.of(() -> fabric.run(0, pair.one.domain::reservedRegion), fabric, "not registered");
        return;
      }
      pair.warm();
      byte[] there = pair.other.fill(0, 10_000, 6);
      MemoryRegion any = fabric.on(0, pair.one.domain::reservedRegion);
      MemorySegment memory = arena.allocate(10_000);
      pair.one.post(new SendRequest().id(1).piece(any, memory.address(), 10_000)
          .read(pair.other.address(0), pair.other.key()));
      pair.one.ok(1);
      assertThat(memory.toArray(JAVA_BYTE)).isEqualTo(there);
      memory.fill((byte) 7);
      pair.one.post(new SendRequest().id(2).piece(any, memory.address(), 10_000)
          .write(pair.other.address(20_000), pair.other.key()));
      pair.one.ok(2);
      pair.other.receive(3, 40_000, 10_000);
      pair.one.post(new SendRequest().id(4).send().piece(any, memory.address(), 10_000));
      pair.one.ok(4);
      pair.other.ok(3);
      assertThat(pair.other.bytes(20_000, 10_000)).isEqualTo(memory.toArray(JAVA_BYTE));
      assertThat(pair.other.bytes(40_000, 10_000)).isEqualTo(memory.toArray(JAVA_BYTE));
      // Another domain's is not this one's, and it is nothing for peers.
      ProtectionDomain strange = fabric.on(0, pair.one.context::allocateProtectionDomain);
      MemoryRegion foreign = fabric.on(0, strange::reservedRegion);
      assertThat(pair.one.tryPost(new SendRequest().id(5).send().piece(foreign, memory.address(), 1)))
          .isEqualTo(Status.INVALID);
      fabric.run(0, strange::close);
      pair.other.post(pair.other.request(6, 0, 10_000).write(memory.address(), any.remoteKey()));
      pair.other.awaitError();
      assertThat(memory.toArray(JAVA_BYTE)).containsOnly(7);
    }
  }

  @Test
  default void moreReadsThanMayBeUnderWayWait() {
    try (Fabric fabric = open();
        Pair pair = new Pair(fabric, End::config, new CmId.Parameters(MemorySegment.NULL, 2, 2))) {
      pair.warm();
      byte[] there = pair.other.fill(0, 40 * 1000, 4);
      CmId.Established agreed = pair.one.established;
      assertThat(agreed != null && agreed.initiatorDepth() <= 2).isTrue();
      fabric.run(0, () -> {
        for (int i = 0; i < 40; i++) {
          SendRequest read = new SendRequest().id(i).piece(pair.one.region, i * 1000L, 1000)
              .read(pair.other.region.address() + i * 1000L, pair.other.key());
          assertThat(pair.one.queuePair.postSend(read)).isEqualTo(Status.OK);
        }
      });
      for (int i = 0; i < 40; i++) {
        pair.one.ok(i);
      }
      assertThat(pair.one.bytes(0, 40_000)).isEqualTo(there);
    }
  }

  @Test
  default void bothEndsReadFromEachOtherAtOnce() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      byte[] mine = pair.one.fill(0, 100_000, 1);
      byte[] theirs = pair.other.fill(0, 100_000, 2);
      for (int round = 0; round < 8; round++) {
        pair.one.post(pair.one.request(round, 100_000, 100_000).read(pair.other.address(0), pair.other.key()));
        pair.other.post(pair.other.request(round, 100_000, 100_000).read(pair.one.address(0), pair.one.key()));
      }
      for (int round = 0; round < 8; round++) {
        pair.one.ok(round);
        pair.other.ok(round);
      }
      assertThat(pair.one.bytes(100_000, 100_000)).isEqualTo(theirs);
      assertThat(pair.other.bytes(100_000, 100_000)).isEqualTo(mine);
    }
  }

  @Test
  default void immediateDataComesWithMessagesAndWrites() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      byte[] sent = pair.one.fill(0, 3000, 8);
      SendRequest message = pair.one.request(1, 0, 100).sendWithImmediate(0x1234_5678);
      SendRequest write = pair.one.request(2, 0, 3000).writeWithImmediate(pair.other.address(5000), pair.other.key(),
          -2);
      if (!pair.one.can(Capability.IMMEDIATE)) {
        assertThat(pair.one.tryPost(message)).isEqualTo(Status.UNSUPPORTED);
        assertThat(pair.one.tryPost(write)).isEqualTo(Status.UNSUPPORTED);
        return;
      }
      pair.other.receive(11, 0, 200);
      fabric.run(1, () -> pair.other.queuePair.postReceive(new ReceiveRequest().id(12)));
      pair.one.post(message);
      pair.one.post(write);
      pair.one.ok(1);
      assertThat(pair.one.ok(2).opcode()).isEqualTo(CompletionOpcode.WRITE);
      End.Completion first = pair.other.ok(11);
      assertThat(first.opcode()).isEqualTo(CompletionOpcode.RECEIVE);
      assertThat(first.immediate()).isEqualTo(0x1234_5678);
      assertThat(first.length()).isEqualTo(100);
      End.Completion second = pair.other.ok(12);
      assertThat(second.opcode()).isEqualTo(CompletionOpcode.RECEIVE_WRITE_WITH_IMMEDIATE);
      assertThat(second.immediate()).isEqualTo(-2);
      assertThat(second.length()).isEqualTo(3000);
      assertThat(pair.other.bytes(5000, 3000)).isEqualTo(sent);
    }
  }

  @Test
  default void atomicsChangeEightBytesAndBringWhatWasThere() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      SendRequest add = pair.one.request(1, 8, 8).fetchAndAdd(pair.other.address(64), pair.other.key(), 5);
      if (!pair.one.can(Capability.ATOMICS)) {
        assertThat(pair.one.tryPost(add)).isEqualTo(Status.UNSUPPORTED);
        assertThat(
            pair.one.tryPost(pair.one.request(2, 8, 8).compareAndSwap(pair.other.address(64), pair.other.key(), 1, 2)))
            .isEqualTo(Status.UNSUPPORTED);
        return;
      }
      pair.other.set(64, number(37));
      pair.one.post(add);
      assertThat(pair.one.ok(1).opcode()).isEqualTo(CompletionOpcode.FETCH_AND_ADD);
      assertThat(number(pair.one.bytes(8, 8))).isEqualTo(37);
      pair.one.post(pair.one.request(2, 16, 8).compareAndSwap(pair.other.address(64), pair.other.key(), 41, 1));
      pair.one.post(pair.one.request(3, 24, 8).compareAndSwap(pair.other.address(64), pair.other.key(), 42, -7));
      assertThat(pair.one.ok(2).opcode()).isEqualTo(CompletionOpcode.COMPARE_AND_SWAP);
      pair.one.ok(3);
      assertThat(number(pair.one.bytes(16, 8))).isEqualTo(42);
      assertThat(number(pair.one.bytes(24, 8))).isEqualTo(42);
      assertThat(number(pair.other.bytes(64, 8))).isEqualTo(-7);
    }
  }

  @Test
  default void atomicsOfBothEndsLoseNothing() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      if (!pair.one.can(Capability.ATOMICS)) {
        return;
      }
      pair.warm();
      // The same number, from the other end by the device and from this end over a second connection to itself.
      End near = new End(fabric, 0);
      try {
        Pair.connectTo(near, pair.other);
        pair.other.set(0, number(0));
        int rounds = 200;
        for (int i = 0; i < rounds; i++) {
          pair.one.post(pair.one.request(i, 8, 8).fetchAndAdd(pair.other.address(0), pair.other.key(), 1));
          near.post(near.request(i, 8, 8).fetchAndAdd(pair.other.address(0), pair.other.key(), 1));
          if (i % 32 == 31) {
            for (int j = i - 31; j <= i; j++) {
              pair.one.ok(j);
              near.ok(j);
            }
          }
        }
        for (int j = rounds - rounds % 32; j < rounds; j++) {
          pair.one.ok(j);
          near.ok(j);
        }
        assertThat(number(pair.other.bytes(0, 8))).isEqualTo(2L * rounds);
      } finally {
        near.close();
      }
    }
  }

  @Test
  default void inlineDataIsCopiedByThePost() {
    try (Fabric fabric = open();
        Pair pair = new Pair(fabric,
            end -> end.config().withRequests(4, Math.min(64, end.context.attributes().maxInlineBytes())),
            CmId.Parameters.DEFAULT)) {
      pair.warm();
      int length = Math.min(64, pair.one.context.attributes().maxInlineBytes());
      if (length == 0) {
        assertThat(pair.one.tryPost(pair.one.request(1, 0, 8).inline(true))).isEqualTo(Status.INVALID);
        return;
      }
      byte[] sent = pair.one.fill(0, length, 6);
      pair.other.receive(5, 0, 64);
      fabric.run(0, () -> {
        SendRequest request = new SendRequest().id(1).inline(true).add(pair.one.region, 0, length / 2)
            .add(pair.one.region, length / 2, length - length / 2);
        assertThat(pair.one.queuePair.postSend(request)).isEqualTo(Status.OK);
        pair.one.memory.asSlice(0, length).fill((byte) 0);
      });
      pair.one.ok(1);
      pair.other.ok(5);
      assertThat(pair.other.bytes(0, length)).isEqualTo(sent);
      assertThat(pair.one.tryPost(pair.one.request(2, 0, length + 1).inline(true))).isEqualTo(Status.INVALID);
      assertThat(pair.one.tryPost(pair.one.request(2, 0, 8).inline(true).read(pair.other.address(0), pair.other.key())))
          .isEqualTo(Status.INVALID);
    }
  }

  @Test
  default void windowsOpenAndShutAPartOfARegion() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      if (!pair.one.can(Capability.MEMORY_WINDOWS)) {
        Refusal.of(() -> fabric.on(0, pair.one.domain::allocateMemoryWindow), fabric, "memory window");
        return;
      }
      MemoryWindow window = fabric.on(1, pair.other.domain::allocateMemoryWindow);
      byte[] there = pair.other.fill(0, 10_000, 12);
      for (int round = 0; round < 300; round++) {
        int key = fabric.on(1, window::nextKey);
        int before = fabric.on(1, window::remoteKey);
        assertThat(key).isNotEqualTo(before);
        pair.other
            .post(new SendRequest().id(round).bind(window, key, pair.other.region, 1000, 500, Access.REMOTE_READ));
        assertThat(pair.other.ok(round).opcode()).isEqualTo(CompletionOpcode.BIND_WINDOW);
        assertThat(fabric.on(1, window::remoteKey)).isEqualTo(key);
        if (round % 100 == 0) {
          pair.one.post(pair.one.request(1, 0, 500).read(pair.other.address(1000), key));
          pair.one.ok(1);
          assertThat(pair.one.bytes(0, 500)).isEqualTo(Arrays.copyOfRange(there, 1000, 1500));
        }
        if (round % 2 == 0 || !pair.one.can(Capability.SEND_WITH_INVALIDATE)) {
          pair.other.post(new SendRequest().id(-5).localInvalidate(key));
          assertThat(pair.other.ok(-5).opcode()).isEqualTo(CompletionOpcode.LOCAL_INVALIDATE);
        } else {
          pair.other.receive(-6, 20_000, 10);
          pair.one.post(pair.one.request(-7, 0, 3).sendWithInvalidate(key));
          pair.one.ok(-7);
          assertThat(pair.other.ok(-6).invalidated()).isEqualTo(key);
        }
      }
      fabric.run(1, window::close);
    }
  }

  /** Who shuts a window may have to wait for the peer's reads: two who do so to each other must both get on. */
  @Test
  default void bothReadAndShutTheirWindowsAtOnce() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      if (!pair.one.can(Capability.MEMORY_WINDOWS)) {
        return;
      }
      End[] ends = {pair.one, pair.other};
      MemoryWindow[][] windows = new MemoryWindow[ends.length][SHUTS];
      for (End end : ends) {
        for (int i = 0; i < SHUTS; i++) {
          windows[end.index][i] = fabric.on(end.index, end.domain::allocateMemoryWindow);
          end.more(windows[end.index][i]);
        }
      }
      for (int round = 0; round < 20; round++) {
        for (End end : ends) {
          fabric.run(end.index, () -> postReadsAndShuts(end, windows[end.index], ends[1 - end.index]));
        }
        for (End end : ends) {
          for (int i = 0; i < 3 * SHUTS; i++) {
            end.ok(i);
          }
        }
      }
    }
  }

  private static void postReadsAndShuts(End end, MemoryWindow[] windows, End peer) {
    int half = End.BYTES / 2;
    for (int i = 0; i < SHUTS; i++) {
      int key = windows[i].nextKey();
      SendRequest read = end.request(3L * i, 0, half).read(peer.address(half), peer.key());
      assertThat(end.queuePair.postSend(read)).isEqualTo(Status.OK);
      SendRequest bind = new SendRequest().id(3L * i + 1).bind(windows[i], key, end.region, 0, 512, Access.REMOTE_READ);
      assertThat(end.queuePair.postSend(bind)).isEqualTo(Status.OK);
      assertThat(end.queuePair.postSend(new SendRequest().id(3L * i + 2).localInvalidate(key))).isEqualTo(Status.OK);
    }
  }

  @Test
  default void longRegionsHaveLongOffsets() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      long bytes = (5L << 30) + 4096;
      MemorySegment huge = Sparse.map(fabric, pair.other, bytes);
      if (huge == null) {
        return;
      }
      MemoryRegion region;
      try {
        region = pair.other.register(huge, Access.LOCAL_WRITE | Access.REMOTE_WRITE | Access.REMOTE_READ);
      } catch (RemoraException e) {
        assertThat(e.status()).as(e.getMessage()).isEqualTo(Status.NO_RESOURCES);
        throw new TestAbortedException(e.getMessage(), e);
      }
      byte[] sent = pair.one.fill(0, 4096, 9);
      pair.one.post(pair.one.request(1, 0, 4096).write(region.address() + bytes - 4096, region.remoteKey()));
      pair.one.ok(1);
      pair.one.post(pair.one.request(2, 8192, 4096).read(region.address() + bytes - 4096, region.remoteKey()));
      pair.one.ok(2);
      assertThat(pair.one.bytes(8192, 4096)).isEqualTo(sent);
      assertThat(fabric.on(1, () -> huge.asSlice(bytes - 4096, 4096).toArray(JAVA_BYTE)))
          .as("the last page, and not one 4 GiB before it").isEqualTo(sent);
      assertThat(region.lengthBytes()).isEqualTo(bytes);
      fabric.run(1, region::close);
    }
  }

  private static byte[] number(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putLong(value).array();
  }

  private static long number(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong();
  }
}
