package io.remora.verbs.tool;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.iwarp.IwarpProvider;
import io.remora.verbs.sim.SimFabric;
import io.remora.verbs.tool.PerftestJob.Operation;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients and servers that break perftest's protocol: the other end says so, ends, and goes on with the next. */
class PerftestHostileTest {
  private static final PerftestJob JOB = PerftestJob.of(Operation.WRITE, 4096, 20, 4);
  private static final List<PerftestStep> BEFORE_CONNECT = List.of(PerftestStep.VERSION, PerftestStep.CYCLE,
      PerftestStep.LINE, PerftestStep.MTU, PerftestStep.READY);

  private static PerftestEnds ends() {
    return new PerftestEnds(new PerftestEnds.Way("sim0", () -> new SimFabric().provider()));
  }

  static Stream<List<Object>> wrongLengths() {
    return BEFORE_CONNECT.stream().flatMap(
        step -> Stream.of(0, 1, step.bytes() - 1, step.bytes() + 1, 57, 200).map(bytes -> List.of(step, bytes)));
  }

  @ParameterizedTest
  @MethodSource("wrongLengths")
  void aMessageOfAnotherLength(List<Object> what) {
    byte[] message = new byte[(Integer) what.get(1)];
    refused((PerftestStep) what.get(0), message,
        message.length > PerftestMessages.MAX_BYTES ? null : "of " + message.length);
  }

  @Test
  void nonsense() {
    refused(PerftestStep.VERSION, new byte[16], "not a version");
    refused(PerftestStep.CYCLE, new byte[] {-1, -1, -1, -1}, "a page");
    refused(PerftestStep.LINE, new byte[] {127, -1, -1, -1}, "a cache line");
  }

  /** An honest client up to a step, which then says {@code message}: the server says {@code why}, and serves the next client. */
  private static void refused(PerftestStep step, byte[] message, @org.jspecify.annotations.Nullable String why) {
    try (PerftestEnds ends = ends()) {
      InetSocketAddress address = ends.serve(JOB);
      int before = BEFORE_CONNECT.indexOf(step);
      PerftestRawEnd raw = raw(ends, address, (end, heard) -> {
        if (heard < before) {
          end.say(BEFORE_CONNECT.get(heard));
        } else {
          end.say(message);
        }
      });
      ends.fabric.run(0, () -> raw.say(before == 0 ? message : PerftestRawEnd.honest(PerftestStep.VERSION)));
      ends.awaitServed(1);
      PerftestEnds.End end = ends.fabric.on(1, ends.served::getFirst);
      if (why != null) {
        assertThat(end.status()).as("%s", end).isIn(Status.PROTOCOL_ERROR, Status.UNSUPPORTED);
        assertThat(end.text()).contains(step.name()).contains(why);
      }
      assertThat(end.status()).isNotEqualTo(Status.OK);
      ends.fabric.await(0, "the raw end's end", () -> raw.end != null);
      assertThat(ends.run(address, JOB).status()).isEqualTo(Status.OK);
      ends.fabric.run(0, raw::close);
    }
  }

  @ParameterizedTest
  @EnumSource(value = PerftestStep.class, names = {"VERSION", "CYCLE", "LINE", "MTU", "READY"})
  void whoGoesInBetweenIsForgotten(PerftestStep step) {
    try (PerftestEnds ends = ends()) {
      InetSocketAddress address = ends.serve(JOB);
      int last = BEFORE_CONNECT.indexOf(step) + 1;
      PerftestRawEnd raw = raw(ends, address, (end, heard) -> {
        if (heard == last) {
          end.disconnect();
        } else {
          end.say(BEFORE_CONNECT.get(heard));
        }
      });
      ends.fabric.run(0, () -> raw.say(PerftestStep.VERSION));
      ends.awaitServed(1);
      assertThat(ends.served.getFirst().status()).isEqualTo(Status.DISCONNECTED);
      assertThat(ends.run(address, JOB).status()).isEqualTo(Status.OK);
      ends.fabric.run(0, raw::close);
    }
  }

  @Test
  void twoMessagesInARow() {
    try (PerftestEnds ends = ends()) {
      InetSocketAddress address = ends.serve(JOB);
      PerftestRawEnd raw = raw(ends, address, (end, heard) -> {
        if (heard < BEFORE_CONNECT.size()) {
          end.say(BEFORE_CONNECT.get(heard));
        } else {
          end.say(PerftestStep.CONNECTED);
          end.say(PerftestStep.MEMORY);
        }
      });
      ends.fabric.run(0, () -> raw.say(PerftestStep.VERSION));
      ends.awaitServed(1);
      assertThat(ends.served.getFirst().status()).isEqualTo(Status.PROTOCOL_ERROR);
      ends.fabric.run(0, raw::close);
    }
  }

  @Test
  void aClientThatSaysItHasDoneWhatItHasNot() {
    try (PerftestEnds ends = ends()) {
      InetSocketAddress address = ends.serve(JOB);
      PerftestRawEnd data = ends.fabric.on(0, () -> new PerftestRawEnd(ends.near, (end, heard) -> {}));
      List<PerftestStep> steps = PerftestStep.of(Operation.WRITE).stream().filter(step -> step.bytes() > 0).toList();
      PerftestRawEnd raw = raw(ends, address, (end, heard) -> {
        if (heard == BEFORE_CONNECT.size()) {
          data.connect(address, CmId.Parameters.DEFAULT);
        } else if (heard < steps.size() && steps.get(heard) == PerftestStep.ITERATIONS) {
          end.say(new byte[] {0, 0, 0, 0, 0, 0, 0, 20});
        } else if (heard < steps.size()) {
          end.say(steps.get(heard));
        } else {
          data.disconnect();
          end.disconnect();
        }
      });
      ends.fabric.run(0, () -> raw.say(PerftestStep.VERSION));
      ends.fabric.await(0, "the second connection", () -> data.established);
      ends.fabric.run(0, () -> raw.say(PerftestStep.CONNECTED));
      ends.awaitServed(1);
      assertThat(ends.served.getFirst().status()).isEqualTo(Status.MISCOMPARE);
      assertThat(ends.served.getFirst().text()).isEqualTo("after 20 turns place 0 is as it was");
      ends.fabric.run(0, raw::close);
      ends.fabric.run(0, data::close);
    }
  }

  @ParameterizedTest
  @EnumSource(value = PerftestStep.class, names = {"VERSION", "CYCLE", "LINE", "MTU", "READY"})
  void aServerWithAnAnswerOfAnotherLength(PerftestStep step) {
    try (PerftestEnds ends = ends()) {
      List<PerftestRawEnd> accepted = new ArrayList<>();
      CmListener listener = listen(ends, accepted, (end, heard) -> {
        PerftestStep now = BEFORE_CONNECT.get(heard - 1);
        end.say(now == step ? Arrays.copyOf(PerftestRawEnd.honest(now), now.bytes() - 1) : PerftestRawEnd.honest(now));
      });
      PerftestEnds.End end = ends.run(ends.fabric.on(1, listener::localAddress), JOB);
      assertThat(end.status()).isEqualTo(Status.PROTOCOL_ERROR);
      assertThat(end.text())
          .contains(step + ": a message of " + (step.bytes() - 1) + " bytes instead of " + step.bytes());
      close(ends, listener, accepted);
    }
  }

  @Test
  void aServerThatCountsMessagesThatWereNotSent() {
    try (PerftestEnds ends = new PerftestEnds(new PerftestEnds.Way("iwarp0", IwarpProvider::new))) {
      List<PerftestStep> steps = PerftestStep.of(Operation.SEND).stream().filter(step -> step.bytes() > 0).toList();
      List<PerftestRawEnd> accepted = new ArrayList<>();
      PerftestMessages.Memory[] counter = new PerftestMessages.Memory[1];
      CmListener listener = listen(ends, accepted, (end, heard) -> {
        if (accepted.indexOf(end) == 0) {
          if (steps.get(heard - 1) == PerftestStep.MEMORY) {
            counter[0] = PerftestMessages.Memory.read(end.last());
          }
          end.say(steps.get(heard - 1));
        } else if (heard == 1) {
          end.write(counter[0], 1_000_000);
        }
      });
      PerftestEnds.End end = ends.run(ends.fabric.on(1, listener::localAddress),
          PerftestJob.of(Operation.SEND, 64, 1_000_000, 4));
      assertThat(end.status()).isEqualTo(Status.PROTOCOL_ERROR);
      assertThat(end.text()).contains("more messages than were sent");
      close(ends, listener, accepted);
    }
  }

  private static PerftestRawEnd raw(PerftestEnds ends, InetSocketAddress address,
      BiConsumer<PerftestRawEnd, Integer> onMessage) {
    PerftestRawEnd raw = ends.fabric.on(0, () -> {
      PerftestRawEnd made = new PerftestRawEnd(ends.near, onMessage);
      made.connect(address, CmId.Parameters.DEFAULT);
      return made;
    });
    ends.fabric.await(0, "the raw end", () -> raw.established);
    return raw;
  }

  private static CmListener listen(PerftestEnds ends, List<PerftestRawEnd> accepted,
      BiConsumer<PerftestRawEnd, Integer> onMessage) {
    return ends.fabric.on(1,
        () -> ends.far.connectionManager().listen(ends.fabric.address(1), QueuePairType.RC, request -> {
          PerftestRawEnd made = new PerftestRawEnd(ends.far, onMessage);
          accepted.add(made);
          made.accept(request);
        }));
  }

  private static void close(PerftestEnds ends, CmListener listener, List<PerftestRawEnd> accepted) {
    ends.fabric.run(1, () -> {
      listener.close();
      accepted.forEach(PerftestRawEnd::close);
    });
  }
}
