package io.remora.verbs.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkStatus;
import java.lang.foreign.MemorySegment;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Conformance: what may not be touched is not touched, and whoever tried loses the connection. */
public interface ProtectionTck extends Conformance {
  /** Posts a request of end 0 that end 1 must refuse; its memory must stay as it is, and the connection must end. */
  private void refused(BiFunction<End, End, @Nullable SendRequest> bad) {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      SendRequest request = bad.apply(pair.one, pair.other);
      if (request == null) {
        return;
      }
      byte[] before = pair.other.bytes(0, End.BYTES);
      byte[] mine = pair.one.bytes(0, End.BYTES);
      pair.one.post(request.id(7));
      // Something that would succeed, were it carried out.
      pair.one.post(pair.one.request(8, 0, 64).write(pair.other.address(1024), pair.other.key()));
      // A device whose peer reports nothing may show the first as a success: it has left this end.
      End.Completion first = pair.one.next();
      if (first.ok()) {
        assertThat(pair.one.can(Capability.REMOTE_STATUS)).as("the status of a request that the peer refuses")
            .isFalse();
      } else if (pair.one.can(Capability.REMOTE_STATUS)) {
        assertThat(first.status()).isEqualTo(WorkStatus.REMOTE_ACCESS_ERROR);
      }
      pair.one.awaitError();
      pair.other.awaitError();
      fabric.await(0, "the end", () -> pair.one.disconnection != null);
      fabric.await(1, "the end", () -> pair.other.disconnection != null);
      assertThat(pair.other.bytes(0, End.BYTES)).as("the memory of the other end").isEqualTo(before);
      assertThat(pair.one.bytes(0, End.BYTES)).as("the memory of this end").isEqualTo(mine);
    }
  }

  @Test
  default void writeWithAWrongKey() {
    refused((one, other) -> one.request(0, 0, 64).write(other.address(0), other.key() ^ 0x5500));
  }

  @Test
  default void writeWithAKeyOfAnotherLife() {
    refused((one, other) -> one.request(0, 0, 64).write(other.address(0), other.key() ^ 1));
  }

  @Test
  default void writeWithKeyZero() {
    refused((one, other) -> one.request(0, 0, 64).write(other.address(0), 0));
  }

  @Test
  default void writeBeforeTheRegion() {
    refused((one, other) -> one.request(0, 0, 64).write(other.address(0) - 1, other.key()));
  }

  @Test
  default void writeBehindTheRegion() {
    refused((one, other) -> one.request(0, 0, 64).write(other.address(End.BYTES) - 63, other.key()));
  }

  @Test
  default void writeOverTheEndOfAllAddresses() {
    refused((one, other) -> one.request(0, 0, 64).write(-32, other.key()));
  }

  @Test
  default void readBehindTheRegion() {
    refused((one, other) -> one.request(0, 0, 64).read(other.address(End.BYTES) - 63, other.key()));
  }

  @Test
  default void readWithAWrongKey() {
    refused((one, other) -> one.request(0, 0, 64).read(other.address(0), other.key() ^ 0x12_3400));
  }

  @Test
  default void writeToWhatMayOnlyBeRead() {
    refused((one, other) -> {
      MemoryRegion readable = other.register(other.memory.asSlice(4096, 4096), Access.REMOTE_READ);
      other.more(readable);
      return one.request(0, 0, 64).write(readable.address(), readable.remoteKey());
    });
  }

  @Test
  default void readOfWhatMayOnlyBeWritten() {
    refused((one, other) -> {
      MemoryRegion writable = other.register(other.memory.asSlice(4096, 4096),
          Access.LOCAL_WRITE | Access.REMOTE_WRITE);
      other.more(writable);
      if (!other.can(Capability.READ_RIGHTS)) {
        // What the device says of itself must be so.
        one.post(one.request(1, 0, 64).read(writable.address(), writable.remoteKey()));
        one.ok(1);
        return null;
      }
      return one.request(0, 0, 64).read(writable.address(), writable.remoteKey());
    });
  }

  @Test
  default void writeToWhatIsThisEndsAlone() {
    refused((one, other) -> {
      MemoryRegion local = other.register(other.memory.asSlice(4096, 4096), Access.LOCAL_WRITE);
      other.more(local);
      return one.request(0, 0, 64).write(local.address(), local.remoteKey());
    });
  }

  @Test
  default void atomicOnWhatMayNotBeChangedSo() {
    refused((one, other) -> {
      if (!one.can(Capability.ATOMICS)) {
        return null;
      }
      MemoryRegion plain = other.register(other.memory.asSlice(4096, 4096),
          Access.LOCAL_WRITE | Access.REMOTE_WRITE | Access.REMOTE_READ);
      other.more(plain);
      return one.request(0, 0, 8).fetchAndAdd(plain.address(), plain.remoteKey(), 1);
    });
  }

  @Test
  default void writeToARegionThatIsClosed() {
    refused((one, other) -> {
      MemoryRegion gone = other.register(other.memory.asSlice(4096, 4096), other.allAccess());
      long address = gone.address();
      int key = gone.remoteKey();
      other.fabric.run(1, gone::close);
      return one.request(0, 0, 64).write(address, key);
    });
  }

  @Test
  default void writeToARegionOfAnotherDomain() {
    refused((one, other) -> {
      ProtectionDomain foreign = other.fabric.on(1, other.context::allocateProtectionDomain);
      MemoryRegion region = other.fabric.on(1,
          () -> foreign.register(other.memory.asSlice(4096, 4096), other.allAccess()));
      other.more(region);
      other.more(foreign);
      return one.request(0, 0, 64).write(region.address(), region.remoteKey());
    });
  }

  @Test
  default void readOfAWindowThatIsShut() {
    refused((one, other) -> {
      MemoryWindow window = bound(other, Access.REMOTE_READ);
      if (window == null) {
        return null;
      }
      int key = other.fabric.on(1, window::remoteKey);
      other.post(new SendRequest().id(2).localInvalidate(key));
      other.ok(2);
      return one.request(0, 0, 64).read(other.address(4096), key);
    });
  }

  @Test
  default void readOutsideOfAWindow() {
    refused((one, other) -> {
      MemoryWindow window = bound(other, Access.REMOTE_READ);
      return window == null
          ? null
          : one.request(0, 0, 64).read(other.address(4096 + 1024) - 63, other.fabric.on(1, window::remoteKey));
    });
  }

  @Test
  default void writeToAWindowForReading() {
    refused((one, other) -> {
      MemoryWindow window = bound(other, Access.REMOTE_READ);
      return window == null
          ? null
          : one.request(0, 0, 64).write(other.address(4096), other.fabric.on(1, window::remoteKey));
    });
  }

  /** A window of {@code end} over 1 KiB at 4096; null when there are none. */
  private static @Nullable MemoryWindow bound(End end, int access) {
    if (!end.can(Capability.MEMORY_WINDOWS)) {
      return null;
    }
    MemoryWindow window = end.fabric.on(end.index, end.domain::allocateMemoryWindow);
    end.more(window);
    int key = end.fabric.on(end.index, window::nextKey);
    end.post(new SendRequest().id(1).bind(window, key, end.region, 4096, 1024, access));
    end.ok(1);
    return window;
  }

  @Test
  default void windowOfAnotherConnection() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      MemoryWindow window = bound(pair.other, Access.REMOTE_READ);
      if (window == null) {
        return;
      }
      End stranger = new End(fabric, 0);
      try {
        Pair.connectTo(stranger, pair.other);
        stranger.post(stranger.request(1, 0, 64).read(pair.other.address(4096), fabric.on(1, window::remoteKey)));
        assertThat(stranger.next().ok()).isFalse();
        stranger.awaitError();
        assertThat(pair.one.state()).as("the connection whose window it is").isEqualTo(QueuePairState.READY_TO_SEND);
      } finally {
        stranger.close();
      }
    }
  }

  @Test
  default void messageThatIsTooLongForItsReceive() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      // The kernel's soft RoCE calls it an operation error, at both ends.
      boolean rxe = fabric.provider().name().equals("ibverbs") && fabric.device(0).startsWith("rxe");
      pair.other.receive(1, 0, 100);
      pair.other.receive(2, 1000, 1000);
      byte[] before = pair.other.bytes(100, 10_000);
      pair.one.fill(0, 1000, 4);
      pair.one.post(pair.one.request(5, 0, 101));
      End.Completion sent = pair.one.next();
      if (pair.one.can(Capability.REMOTE_STATUS)) {
        assertThat(sent.status())
            .isEqualTo(rxe ? WorkStatus.REMOTE_OPERATION_ERROR : WorkStatus.REMOTE_INVALID_REQUEST);
      }
      End.Completion received = pair.other.next();
      assertThat(received.id()).isEqualTo(1);
      assertThat(received.status()).isEqualTo(rxe ? WorkStatus.LOCAL_OPERATION_ERROR : WorkStatus.LOCAL_LENGTH_ERROR);
      End.Completion flushed = pair.other.next();
      assertThat(flushed.id()).isEqualTo(2);
      assertThat(flushed.status()).isEqualTo(WorkStatus.FLUSH_ERROR);
      pair.one.awaitError();
      assertThat(pair.other.bytes(100, 10_000)).as("what lies behind the receive").isEqualTo(before);
    }
  }

  @Test
  default void badRequestsAreRefusedByThePost() {
    try (Fabric fabric = open(); Pair pair = new Pair(fabric)) {
      pair.warm();
      End one = pair.one;
      assertThat(one.tryPost(one.request(1, End.BYTES - 10, 11))).as("memory behind the region")
          .isEqualTo(Status.INVALID);
      assertThat(one.tryPost(one.request(1, -1, 11))).as("memory before the region").isEqualTo(Status.INVALID);
      SendRequest many = new SendRequest(8).id(1).send();
      for (int i = 0; i < 5; i++) {
        many.add(one.region, i, 1);
      }
      assertThat(one.tryPost(many)).as("more pieces than asked for").isEqualTo(Status.INVALID);
      MemoryRegion readOnly = one.register(one.memory.asSlice(0, 4096), Access.REMOTE_READ);
      SendRequest read = new SendRequest().piece(readOnly, 0, 10).read(pair.other.address(0), pair.other.key());
      assertThat(one.tryPost(read)).as("a read into memory that this end may not write").isEqualTo(Status.INVALID);
      assertThat(fabric.on(0, () -> one.queuePair.postReceive(new ReceiveRequest().piece(readOnly, 0, 10))))
          .as("a receive into such memory").isEqualTo(Status.INVALID);
      fabric.run(0, readOnly::close);
      assertThat(one.tryPost(new SendRequest().piece(readOnly, 0, 10).send())).as("a closed region")
          .isEqualTo(Status.INVALID);
      ProtectionDomain foreign = fabric.on(0, one.context::allocateProtectionDomain);
      MemoryRegion elsewhere = fabric.on(0, () -> foreign.register(one.memory, Access.LOCAL_WRITE));
      assertThat(one.tryPost(new SendRequest().piece(elsewhere, 0, 10).send())).as("another domain")
          .isEqualTo(Status.INVALID);
      fabric.run(0, elsewhere::close);
      fabric.run(0, foreign::close);
      assertThat(one.state()).isEqualTo(QueuePairState.READY_TO_SEND);
      assertThat(one.silent()).isTrue();
    }
  }

  @Test
  default void senselessRegistrationsAreRefused() {
    try (Fabric fabric = open()) {
      End end = new End(fabric, 0);
      Refusal.with(Status.INVALID, "local-write", () -> end.register(end.memory, Access.REMOTE_WRITE));
      Refusal.with(Status.INVALID, "native", () -> end.register(MemorySegment.ofArray(new byte[16]), 0));
      Refusal.with(Status.INVALID, "bytes", () -> end.register(end.memory.asSlice(0, 0), 0));
      end.close();
    }
  }

  @Test
  default void keysAreHardToGuess() {
    try (Fabric fabric = open()) {
      End end = new End(fabric, 0);
      java.util.Set<Integer> keys = new java.util.HashSet<>();
      for (int i = 0; i < 50; i++) {
        MemoryRegion region = end.register(end.memory, 0);
        assertThat(region.remoteKey()).isNotZero();
        keys.add(region.remoteKey());
        fabric.run(0, region::close);
      }
      assertThat(keys).as("keys of 50 registrations")
          .hasSizeGreaterThan(fabric.provider().name().equals("ibverbs") ? 1 : 40);
      end.close();
    }
  }
}
