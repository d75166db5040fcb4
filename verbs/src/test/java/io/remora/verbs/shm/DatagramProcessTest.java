package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.AddressHandle;
import io.remora.verbs.CmId;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkStatus;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Datagrams between processes: there and back, to nobody, and to who has died. */
class DatagramProcessTest extends BetweenProcesses {
  private static final int HEADER = ReceiveRequest.ROUTE_HEADER_BYTES;
  private static final int MAX_BYTES = 4096;
  /** Where the answers come. */
  private static final long IN = 512 << 10;

  @Test
  void everyLengthComesBackFromItsSource() {
    try (OtherProcess other = OtherProcess.start(DatagramPeer.class)) {
      CmId.Established way = connect(end, other);
      for (int length : new int[] {0, 1, 7, 1000, MAX_BYTES - 1, MAX_BYTES}) {
        answered(way, length, length + 17);
      }
    }
  }

  @Test
  void messageLongerThanADatagramIsRefused() {
    try (OtherProcess other = OtherProcess.start(DatagramPeer.class)) {
      CmId.Established way = connect(end, other);
      Status refused = end.on(() -> end.queuePair().postSend(to(way, way.queuePair(), 1, MAX_BYTES + 1).send()));
      assertThat(refused).isEqualTo(Status.INVALID);
      answered(way, MAX_BYTES, 1);
      // One that is longer than its receive fails that receive, and the queue pair that posted it.
      end.run(() -> end.queuePair().postReceive(new ReceiveRequest().id(9).piece(end.region, IN, HEADER + 100)));
      end.post(to(way, way.queuePair(), 8, 101).send());
      end.ok(8);
      ThisEnd.Completion cut = end.next();
      assertThat(cut.status()).isEqualTo(WorkStatus.LOCAL_LENGTH_ERROR);
      end.await("the error state", () -> end.queuePair().state() == QueuePairState.ERROR);
    }
  }

  @Test
  void datagramsToNobodyVanish() {
    try (OtherProcess other = OtherProcess.start(DatagramPeer.class)) {
      CmId.Established way = connect(end, other);
      int nobody = way.queuePair() ^ 0x55_5555;
      for (int number : new int[] {nobody, 0, 1, 0xff_ffff}) {
        end.post(to(way, number, 5, 100).send());
        end.ok(5);
      }
      end.post(to(way, way.queuePair(), 6, 100).to(handle(way), way.queuePair(), way.queueKey() + 1)
          .send());
      end.ok(6);
      // It would be answered before this one.
      answered(way, 200, 3);
      assertThat(end.events).isEmpty();
    }
  }

  @Test
  void deathOfOneReceiverIsNothingToTheOthers() {
    try (OtherProcess dies = OtherProcess.start(DatagramPeer.class);
        OtherProcess lives = OtherProcess.start(DatagramPeer.class)) {
      ThisEnd another = new ThisEnd(loops);
      try {
        CmId.Established wayToIt = connect(end, dies);
        CmId.Established wayToOther = connect(another, lives);
        answered(wayToIt, 100, 1);
        answered(wayToOther, 100, 2);
        // Some are under way when it dies; there is no receive for what it answers.
        for (int i = 0; i < 40; i++) {
          if (i == 20) {
            dies.kill();
          }
          end.post(to(wayToIt, wayToIt.queuePair(), i, 8).send());
          end.ok(i);
        }
        for (int i = 0; i < 50; i++) {
          answered(end, wayToOther, 100, 3);
          answered(another, wayToOther, 200, 4);
        }
        assertThat(end.queuePair().state()).isEqualTo(QueuePairState.READY_TO_SEND);
        assertThat(end.ended).isNull();
        assertThat(end.events).isEmpty();
      } finally {
        another.close();
      }
    }
  }

  private static CmId.Established connect(ThisEnd from, OtherProcess to) {
    from.connect(to.port(), QueuePairType.UD);
    return Objects.requireNonNull(from.established);
  }

  /** The first bytes of this end's memory for the queue pair of that number. */
  private SendRequest to(CmId.Established way, int number, long id, int length) {
    return new SendRequest().id(id).piece(end.region, 0, length).to(handle(way), number, way.queueKey());
  }

  private static AddressHandle handle(CmId.Established way) {
    return Objects.requireNonNull(way.destination());
  }

  private void answered(CmId.Established way, int length, int immediate) {
    answered(end, way, length, immediate);
  }

  /** Sends one, and takes what comes back, which must be that. */
  private static void answered(ThisEnd from, CmId.Established way, int length, int immediate) {
    from.run(() -> {
      from.memory.asSlice(IN, HEADER + MAX_BYTES).fill((byte) 0);
      for (int i = 0; i < length; i++) {
        from.memory.set(JAVA_BYTE, i, (byte) (i * 31 + immediate));
      }
      from.queuePair().postReceive(new ReceiveRequest().id(21).piece(from.region, IN, HEADER + MAX_BYTES));
    });
    from.post(new SendRequest().id(20).piece(from.region, 0, length).to(handle(way), way.queuePair(), way.queueKey())
        .sendWithImmediate(immediate));
    from.ok(20);
    ThisEnd.Completion answer = from.ok(21);
    assertThat(answer.length()).isEqualTo(HEADER + length);
    assertThat(answer.source()).isEqualTo(way.queuePair());
    assertThat(answer.immediate()).isEqualTo(immediate + 1);
    assertThat(from.memory.asSlice(IN + HEADER, length).toArray(JAVA_BYTE))
        .isEqualTo(from.memory.asSlice(0, length).toArray(JAVA_BYTE));
  }
}
