package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.SendRequest;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A peer that writes nonsense to what it shares loses its own connection, and no other. */
class LyingPeerTest extends AmongLiars {
  private static final int FUZZ_ROUNDS = Integer.getInteger("remora.shm.fuzz", 300);
  private static final int SEND = Fragment.SEND | Fragment.FIRST | Fragment.LAST;

  @Test
  void nonsenseInTheRing() {
    lie("a tail between", liar -> Words.setRelease(liar.control, Liar.OUT + Liar.TAIL, 8));
    lie("a tail that goes back", liar -> Words.setRelease(liar.control, Liar.OUT + Liar.TAIL, -16));
    lie("a tail far away", liar -> Words.setRelease(liar.control, Liar.OUT + Liar.TAIL, 1L << 40));
    lie("more than the ring", liar -> Words.setRelease(liar.control, Liar.OUT + Liar.TAIL, Control.RING_BYTES + 16));
    lie("no kind", liar -> liar.fragment(Fragment.FIRST | Fragment.LAST, 0, 0, 16));
    lie("an unknown kind", liar -> liar.fragment(9 | Fragment.FIRST | Fragment.LAST, 0, 0, 16));
    lie("unknown flags", liar -> liar.fragment(SEND | 0x1000, 0, 0, 16));
    lie("a negative length", liar -> liar.fragment(SEND, -1, -1, 16));
    lie("a length that is not there", liar -> liar.fragment(SEND, 32, 32, 16));
    lie("a length over the most", liar -> liar.fragment(SEND, Fragment.MAX_BYTES + 16, Fragment.MAX_BYTES + 16, 32768));
    lie("a message over the most", liar -> liar.fragment(Fragment.SEND | Fragment.FIRST, 16, 1 << 31, 32));
    lie("a last fragment of a part", liar -> liar.fragment(SEND, 16, 17, 32));
    lie("no last fragment of a whole", liar -> liar.fragment(Fragment.SEND | Fragment.FIRST, 16, 16, 32));
    lie("a fragment more than the message", liar -> liar.fragment(SEND, 32, 16, 48));
    lie("a middle without a beginning", liar -> liar.fragment(Fragment.SEND | Fragment.LAST, 16, 16, 32));
  }

  @Test
  void nonsenseInAnswers() {
    lie("more acknowledged than sent", liar -> {
      victimPosts(new SendRequest().id(1).piece(victim.region, 0, 64));
      Words.setRelease(liar.control, Liar.IN + Liar.COMPLETED, 7);
    });
    lie("room before the ring", liar -> {
      Words.setRelease(liar.control, Liar.IN + Liar.HEAD, -64);
      victimPosts(new SendRequest().id(1).piece(victim.region, 0, 300_000));
    });
    lie("room that was never filled", liar -> {
      Words.setRelease(liar.control, Liar.IN + Liar.HEAD, 1L << 30);
      victimPosts(new SendRequest().id(1).piece(victim.region, 0, 300_000));
    });
  }

  private void victimPosts(SendRequest request) {
    QueuePair mine = victim.queuePair();
    loops.get(0).execute(() -> assertThat(mine.postSend(request)).isEqualTo(Status.OK));
  }

  @Test
  void nonsenseOnTheSocket() {
    lie("an unknown message", liar -> liar.send("X".getBytes(StandardCharsets.UTF_8)));
    lie("a question without a key", liar -> liar.send("S".getBytes(StandardCharsets.UTF_8)));
    lie("memory that nobody asked for", liar -> liar.send(memory(1, 4096), liar.memory));
    lie("a second handshake", liar -> {
      MemorySegment bytes = MemorySegment.ofArray(new byte[64]);
      liar.send(bytes.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
    });
  }

  private static byte[] memory(long number, long length) {
    byte[] bytes = new byte[17];
    bytes[0] = 'M';
    MemorySegment.ofArray(bytes).set(JAVA_LONG_UNALIGNED, 1, number);
    MemorySegment.ofArray(bytes).set(JAVA_LONG_UNALIGNED, 9, length);
    return bytes;
  }

  @Test
  void nonsenseInTheKeys() {
    lies("a region before its memory", -8, 4096);
    lies("a region behind its memory", 4096, 4096);
    lies("a region over the end of its memory", 4000, 4096);
    lies("a region at the end of all numbers", Long.MAX_VALUE - 8, 4096);
    lies("memory that is shorter than said", 0, 1 << 20);
  }

  private void lies(String what, long offset, long saidBytes) {
    lie(what, liar -> {
      liar.key(0x1234501, 1 << 20, 1L << 40, offset);
      victimPosts(new SendRequest().id(1).piece(victim.region, 0, 128).write(1 << 20, 0x1234501));
      loops.get(1).execute(new Runnable() {
        @Override
        public void run() {
          if (liar.asked.contains((byte) 'S')) {
            liar.send(memory(1, saidBytes), liar.memory);
          } else if (!liar.ended) {
            loops.get(1).execute(this);
          }
        }
      });
    });
  }

  @Test
  void keyGoesOnlyWhenTheCopyThatUsesItHasEnded() throws Exception {
    Liar liar = liar();
    QueuePair mine = victim.queuePair();
    MemoryRegion more = victim.on(() -> victim.domain.register(victim.memory.asSlice(0, 4096),
        Access.LOCAL_WRITE | Access.REMOTE_WRITE));
    copying(liar, 1);
    CompletableFuture<Boolean> closed = new CompletableFuture<>();
    AtomicBoolean copied = new AtomicBoolean();
    loops.get(0).execute(() -> {
      // Its peer ends the copy when the owner waits already, or just before.
      loops.get(1).execute(() -> {
        copied.set(true);
        copying(liar, 2);
      });
      more.close();
      closed.complete(copied.get());
    });
    assertThat(closed.get(20, TimeUnit.SECONDS)).as("the copy had ended when the key was gone").isTrue();
    assertThat(victim.on(mine::state)).isEqualTo(QueuePairState.READY_TO_SEND);
    honest.run(liar::close);
    victim.await("the end", () -> mine.state() == QueuePairState.ERROR);
    victim.hangUp();
    assertHonestConnectionWorks();
  }

  @Test
  void whoDoesNotEndACopyLosesTheConnection() {
    MemoryRegion more = victim.on(() -> victim.domain.register(victim.memory.asSlice(0, 4096),
        Access.LOCAL_WRITE | Access.REMOTE_WRITE));
    lie("a copy without an end", liar -> {
      copying(liar, 1);
      loops.get(0).execute(more::close);
    });
  }

  /** The liar copies when {@code count} is odd. */
  private static void copying(Liar liar, long count) {
    Words.setVolatile(liar.control, Liar.OUT + Liar.HAZARD, count);
  }

  @Test
  void anythingAtAll() {
    long seed = Long.getLong("remora.seed", System.nanoTime());
    Random random = new Random(seed);
    byte[] untouched = victim
        .on(() -> victim.memory.asSlice(32_768, 400_000).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
    for (int round = 0; round < FUZZ_ROUNDS; round++) {
      Liar liar = liar();
      QueuePair lied = victim.queuePair();
      victimPosts(new SendRequest().id(1).piece(victim.region, 0, random.nextInt(200_000)));
      for (int i = 0; i < 20; i++) {
        int step = i;
        honest.run(() -> mutate(liar, random, step));
      }
      assertThat(victim.on(lied::state)).as("seed %d", seed).isIn(QueuePairState.ERROR, QueuePairState.READY_TO_SEND);
      honest.run(liar::close);
      victim.await("the end", () -> lied.state() == QueuePairState.ERROR);
      victim.hangUp();
    }
    assertHonestConnectionWorks();
    assertThat(victim.on(() -> victim.memory.asSlice(32_768, 400_000).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)))
        .as("memory of no receive, seed %d", seed).isEqualTo(untouched);
  }

  private static void mutate(Liar liar, Random random, int step) {
    long at = switch (random.nextInt(6)) {
      case 0 -> Liar.OUT + Liar.TAIL;
      case 1 -> Liar.IN + Liar.HEAD;
      case 2 -> Liar.IN + Liar.COMPLETED;
      case 3 -> Liar.IN + Liar.REFUSED;
      default -> Liar.OUT + Liar.RING + 16L * step;
    };
    if (at >= Liar.RING) {
      // Fragments that are nearly right get further.
      int length = random.nextInt(40);
      liar.control.set(java.lang.foreign.ValueLayout.JAVA_INT, at, 1 + random.nextInt(4) | random.nextInt(8) << 8);
      liar.control.set(java.lang.foreign.ValueLayout.JAVA_INT, at + 4,
          random.nextInt(8) == 0 ? random.nextInt() : length);
      liar.control.set(java.lang.foreign.ValueLayout.JAVA_INT, at + 8,
          random.nextInt(8) == 0 ? random.nextInt() : length);
      liar.control.set(java.lang.foreign.ValueLayout.JAVA_INT, at + 12, random.nextInt());
      at = Liar.OUT + Liar.TAIL;
    }
    long now = liar.control.get(JAVA_LONG, at);
    Words.setRelease(liar.control, at, random.nextInt(16) == 0 ? random.nextLong() : now + 16L * random.nextInt(4));
  }
}
