package io.remora.verbs.shm;

import static io.remora.verbs.tck.NativeCall.call;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Local;
import io.remora.base.LocalSocket;
import io.remora.base.Status;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What a peer shows in the handshake and is not what it should be, or speaks another version, is refused with the reason; what it does to a doorbell stops nobody. */
class LyingHandshakeTest extends AmongLiars {
  private static final int WRITE_ONLY_NONBLOCKING = 1 | 0x800;
  private static final int SET_FLAGS = 4;
  private static final int ROUNDS = 200;

  /** A request that is refused, for that reason. */
  private void refused(long controlBytes, int doorbell, String reason) {
    victim.run(() -> {
      victim.established = null;
      victim.ended = null;
    });
    Liar liar = honest.on(() -> new Liar(loops.get(1), listener.localAddress().getPort(), controlBytes, doorbell));
    victim.await("the refusal", () -> victim.ended != null);
    assertThat(victim.ended).isEqualTo(Status.PROTOCOL_ERROR);
    assertThat(victim.endText).contains(reason);
    honest.run(liar::close);
    victim.hangUp();
    assertHonestConnectionWorks();
  }

  /** An answer to a request, which is refused for that reason. */
  private void answerRefused(int kind, int version, Status status, String reason, int... descriptors) {
    FalseListener listens = honest.on(() -> new FalseListener(loops.get(1), kind, version, descriptors));
    ThisEnd third = new ThisEnd(loops.get(0));
    third.begin(FalseListener.PORT, QueuePairType.RC);
    third.await("the refusal", () -> third.ended != null);
    assertThat(third.ended).isEqualTo(status);
    assertThat(third.endText).contains(reason);
    honest.run(listens::close);
    third.close();
    assertHonestConnectionWorks();
  }

  @Test
  void memoryThatIsTooShortForTheConnection() {
    refused(8192, -1, "shared memory");
  }

  @Test
  void whatIsNoEventfdIsNoDoorbell() {
    Local local = loops.get(1).local();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment two = arena.allocate(8, 8);
      assertThat(call("pipe2", JAVA_INT, List.of(ADDRESS, JAVA_INT), two, 0)).isZero();
      int readEnd = two.get(JAVA_INT, 0);
      int writeEnd = two.get(JAVA_INT, 4);
      fill(writeEnd, arena);
      int poll = (int) call("epoll_create1", JAVA_INT, List.of(JAVA_INT), 0);
      MemorySegment memory = local.allocate(arena, 4096, true);
      int file = Objects.requireNonNull(local.find(memory)).descriptor();

      // A pipe that is full would block, and one whose reader has gone raise a signal.
      refused(Control.BYTES, writeEnd, "should be an eventfd is pipe:");
      local.close(readEnd);
      refused(Control.BYTES, writeEnd, "should be an eventfd is pipe:");
      refused(Control.BYTES, file, "should be an eventfd is /memfd:");
      refused(Control.BYTES, poll, "should be an eventfd is anon_inode:[eventpoll]");
      assertThat(memory.mismatch(arena.allocate(4096))).as("what was written there").isEqualTo(-1);

      MemorySegment keys = local.allocate(arena, KeyLayout.BYTES, true);
      int shown = Objects.requireNonNull(local.find(keys)).descriptor();
      answerRefused(Hello.ACCEPT, Hello.VERSION, Status.PROTOCOL_ERROR, "should be an eventfd is pipe:", file, shown,
          writeEnd);
      answerRefused(Hello.ACCEPT, Hello.VERSION, Status.PROTOCOL_ERROR, "should be an eventfd is missing", file, shown);
      local.close(writeEnd);
      local.close(poll);
    }
  }

  private static void fill(int pipe, Arena arena) {
    MemorySegment page = arena.allocate(4096);
    call("fcntl", JAVA_INT, List.of(JAVA_INT, JAVA_INT, JAVA_INT), pipe, SET_FLAGS, WRITE_ONLY_NONBLOCKING);
    long written = 1;
    while (written > 0) {
      written = call("write", JAVA_LONG, List.of(JAVA_INT, ADDRESS, JAVA_LONG), pipe, page, 4096L);
    }
    call("fcntl", JAVA_INT, List.of(JAVA_INT, JAVA_INT, JAVA_INT), pipe, SET_FLAGS, 1);
  }

  @Test
  void whoPlaysWithADoorbellStopsNobody() {
    Liar liar = liar();
    honest.await("the answer", () -> liar.accepted);
    QueuePair lied = victim.queuePair();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment word = arena.allocate(8, 8);
      call("fcntl", JAVA_INT, List.of(JAVA_INT, JAVA_INT, JAVA_INT), liar.victimsDoorbell, SET_FLAGS, 2);
      for (int i = 0; i < ROUNDS; i++) {
        word.set(JAVA_LONG, 0, 1);
        assertThat(call("write", JAVA_LONG, List.of(JAVA_INT, ADDRESS, JAVA_LONG), liar.victimsDoorbell, word, 8L))
            .isEqualTo(8);
        assertThat(call("read", JAVA_LONG, List.of(JAVA_INT, ADDRESS, JAVA_LONG), liar.victimsDoorbell, word, 8L))
            .isEqualTo(8);
      }
      assertHonestConnectionWorks();
      word.set(JAVA_LONG, 0, -2);
      assertThat(call("write", JAVA_LONG, List.of(JAVA_INT, ADDRESS, JAVA_LONG), liar.victimsDoorbell, word, 8L))
          .isEqualTo(8);
      assertHonestConnectionWorks();
    }
    assertThat(victim.on(lied::state)).isEqualTo(QueuePairState.READY_TO_SEND);
    honest.run(liar::close);
    victim.await("the end", () -> lied.state() == QueuePairState.ERROR);
    victim.hangUp();
    assertHonestConnectionWorks();
  }

  @Test
  void answerOfAnotherVersion() {
    String both = "shm: the peer, process " + ProcessHandle.current().pid()
        + ", speaks version %d of the handshake, this end "
        + Hello.VERSION;
    for (int version : new int[] {Hello.VERSION - 1, Hello.VERSION + 1}) {
      answerRefused(Hello.ACCEPT, version, Status.UNSUPPORTED, both.formatted(version));
      answerRefused(Hello.REJECT, version, Status.UNSUPPORTED, both.formatted(version));
    }
    // None of any version.
    answerRefused(Hello.ACCEPT, -40, Status.PROTOCOL_ERROR, "does not keep to the handshake");
  }

  @Test
  void requestOfAnotherVersion() {
    for (int version : new int[] {Hello.VERSION - 1, Hello.VERSION + 1}) {
      MemorySegment answer = answerTo(version);
      // The other end, of whatever version, can see what this one speaks.
      assertThat(Hello.read(answer, (int) answer.byteSize())).isNotNull()
          .extracting(hello -> hello.kind()).isEqualTo(Hello.REJECT);
      assertHonestConnectionWorks();
    }
    assertThat(answerTo(-40).byteSize()).as("the answer to nonsense").isZero();
  }

  /** What the victim answers to a request of that version, before it hangs up. */
  private MemorySegment answerTo(int version) {
    Arena arena = Arena.ofAuto();
    MemorySegment scratch = arena.allocate(8192, 8);
    InetSocketAddress to = new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.localAddress().getPort());
    MemorySegment[] answer = {MemorySegment.NULL};
    boolean[] ended = new boolean[1];
    LocalSocket[] socket = new LocalSocket[1];
    Local local = loops.get(1).local();
    honest.run(() -> socket[0] = local.connect(ShmNames.listener(local, QueuePairType.RC, to),
        new LocalSocket.Handler() {
          @Override
          public void onConnected() {
            int length = new Hello(Hello.REQUEST, QueuePairType.RC, 1, 1, 1, to, MemorySegment.NULL).write(scratch);
            FalseListener.speak(scratch, version);
            socket[0].send(scratch, 0, length);
          }

          @Override
          public void onReadable() {
            int length = socket[0].receive(scratch, 0, 8192);
            for (; length > 0; length = socket[0].receive(scratch, 0, 8192)) {
              answer[0] = arena.allocate(length, 8).copyFrom(scratch.asSlice(0, length));
            }
            ended[0] = length < 0;
          }

          @Override
          public void onClosed(Status reason) {
            ended[0] = true;
          }
        }));
    honest.await("the end", () -> ended[0]);
    honest.run(() -> socket[0].close());
    return answer[0];
  }
}
