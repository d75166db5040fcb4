package io.remora.verbs.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A device that shows reads late, and what the order makes of it. */
class SendOrderTest {
  private static final int QUEUE_PAIR = 77;

  private final WorkCompletions shown = new WorkCompletions(1);
  private final List<Long> ids = new ArrayList<>();

  private static SendRequest read(long id, boolean signalled) {
    return new SendRequest().id(id).signalled(signalled).read(0, 0);
  }

  private static SendRequest send(long id, boolean signalled) {
    return new SendRequest().id(id).signalled(signalled).send();
  }

  private void showAll(SendOrder order) {
    shown.clear();
    while (order.show(shown)) {
      assertThat(shown.queuePair(0)).isEqualTo(QUEUE_PAIR);
      ids.add(shown.id(0));
      shown.clear();
    }
  }

  private static void end(SendOrder order, int place) {
    order.end(place, WorkStatus.SUCCESS, CompletionOpcode.SEND, 0, 0);
  }

  @Test
  void laterRequestsWaitForARead() {
    SendOrder order = new SendOrder(QUEUE_PAIR, 8);
    int slow = order.add(read(1, true));
    int quick = order.add(send(2, true));
    end(order, quick);
    showAll(order);
    assertThat(ids).isEmpty();
    order.end(slow, WorkStatus.SUCCESS, CompletionOpcode.READ, 50, 0);
    assertThat(order.show(shown)).isTrue();
    assertThat(shown.id(0)).isEqualTo(1);
    assertThat(shown.lengthBytes(0)).isEqualTo(50);
    assertThat(shown.opcode(0)).isEqualTo(CompletionOpcode.READ);
    showAll(order);
    assertThat(ids).containsExactly(2L);
  }

  @Test
  void laterRequestsWaitForAReadThatDoesNotShow() {
    SendOrder order = new SendOrder(QUEUE_PAIR, 8);
    int slow = order.add(read(1, false));
    end(order, order.add(send(2, true)));
    showAll(order);
    assertThat(ids).isEmpty();
    end(order, slow);
    showAll(order);
    assertThat(ids).containsExactly(2L);
  }

  @Test
  void failuresShowThoughNotSignalled() {
    SendOrder order = new SendOrder(QUEUE_PAIR, 8);
    int first = order.add(send(1, false));
    int second = order.add(send(2, false));
    order.end(first, WorkStatus.LOCAL_PROTECTION_ERROR, null, 0, 9);
    order.end(second, WorkStatus.FLUSH_ERROR, null, 0, 0);
    assertThat(order.show(shown)).isTrue();
    assertThat(shown.status(0)).isEqualTo(WorkStatus.LOCAL_PROTECTION_ERROR);
    assertThat(shown.vendorError(0)).isEqualTo(9);
    showAll(order);
    assertThat(ids).containsExactly(2L);
  }

  @Test
  void whatTheDeviceNeverShowsIsFlushed() {
    SendOrder order = new SendOrder(QUEUE_PAIR, 8);
    order.add(read(1, true));
    int write = order.add(send(2, true));
    order.add(send(3, false));
    order.add(read(4, false));
    order.end(write, WorkStatus.LOCAL_OPERATION_ERROR, null, 0, 0);
    assertThat(order.show(shown)).isFalse();
    assertThat(order.flush()).isTrue();
    assertThat(order.show(shown)).isTrue();
    assertThat(shown.id(0)).isEqualTo(1);
    assertThat(shown.status(0)).isEqualTo(WorkStatus.FLUSH_ERROR);
    showAll(order);
    assertThat(ids).containsExactly(2L, 4L);
    assertThat(order.flush()).isFalse();
  }

  @Test
  void isFullUntilSomethingHasShown() {
    SendOrder order = new SendOrder(QUEUE_PAIR, 5);
    for (int i = 0; i < 4; i++) {
      order.add(send(i, false));
    }
    int last = order.add(send(4, true));
    assertThat(order.isFull()).isTrue();
    showAll(order);
    assertThat(order.isFull()).isTrue();
    end(order, last);
    showAll(order);
    assertThat(ids).containsExactly(4L);
    for (int i = 0; i < 5; i++) {
      assertThat(order.isFull()).isFalse();
      order.add(send(i, true));
    }
    assertThat(order.isFull()).isTrue();
    order.withdraw(2);
    assertThat(order.isFull()).isFalse();
  }

  @Test
  void showsWhatIsSignalledInTheOrderOfThePosts() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      SendOrder order = new SendOrder(QUEUE_PAIR, 1 + random.nextInt(40));
      ArrayDeque<Integer> reads = new ArrayDeque<>();
      ArrayDeque<Integer> others = new ArrayDeque<>();
      List<Long> expected = new ArrayList<>();
      ids.clear();
      for (long id = 0; id < 2000;) {
        boolean room = !order.isFull();
        if (room && random.nextBoolean()) {
          boolean signalled = random.nextInt(4) != 0;
          boolean reads1 = random.nextInt(3) == 0;
          int place = order.add(reads1 ? read(id, signalled) : send(id, signalled));
          if (signalled) {
            expected.add(id);
          }
          if (reads1) {
            reads.add(place);
          } else if (signalled) {
            others.add(place);
          }
          id++;
        } else if (!reads.isEmpty() && random.nextBoolean()) {
          end(order, reads.removeFirst());
        } else if (!others.isEmpty()) {
          end(order, others.removeFirst());
        } else if (reads.isEmpty() && !room) {
          // Full of what shows nothing: whoever posts so has to signal now and then.
          break;
        }
        showAll(order);
      }
      while (!reads.isEmpty()) {
        end(order, reads.removeFirst());
      }
      while (!others.isEmpty()) {
        end(order, others.removeFirst());
      }
      showAll(order);
      assertThat(ids).as("seed %d", seed).isEqualTo(expected);
    }
  }
}
