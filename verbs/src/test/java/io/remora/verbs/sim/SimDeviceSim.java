package io.remora.verbs.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A simulated device that is taken out of its machine and put back. */
class SimDeviceSim {
  private static final long SECOND = 1_000_000_000L;

  private final Simulation simulation = new Simulation(1);
  private final SimMachine machine = simulation.machine("one");
  private final SimLoop loop = machine.start(1).getFirst();
  private final SimLoop other = simulation.machine("other").start(1).getFirst();
  private final SimFabric fabric = new SimFabric();
  private final SimProvider card = fabric.newProvider("card");
  private final List<AsyncEvent.Kind> events = new ArrayList<>();

  private Context open(SimProvider provider, SimLoop on) {
    return on.call(() -> {
      Context context = provider.open(on, "sim0");
      context.onAsyncEvent(event -> events.add(event.kind()));
      return context;
    });
  }

  @Test
  void whatIsOpenFailsAndNothingCanBeOpenedUntilItIsBack() {
    Context before = open(card, loop);
    assertThat(before.attributes().provider()).isEqualTo("card");
    assertThat(card.devices()).extracting(DeviceInfo::provider, DeviceInfo::name)
        .containsExactly(org.assertj.core.groups.Tuple.tuple("card", "sim0"));
    card.removeDevice();
    simulation.runFor(SECOND);
    assertThat(events).containsExactly(AsyncEvent.Kind.DEVICE_FATAL);
    assertThat(card.devices()).isEmpty();
    assertThatThrownBy(() -> open(card, loop))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.NOT_FOUND))
        .hasMessageContaining("taken out");
    card.insertDevice();
    assertThat(card.devices()).hasSize(1);
    loop.run(before::close);
    loop.run(open(card, loop)::close);
    assertThat(events).hasSize(1);
  }

  @Test
  void theOthersKeepTheirs() {
    open(fabric.provider(), loop);
    open(fabric.newProvider("card"), other);
    card.removeDevice();
    simulation.runFor(SECOND);
    assertThat(events).isEmpty();
    assertThat(fabric.provider().devices()).hasSize(1);
  }

  @Test
  void whatAKilledProcessHadOpenHearsNothing() {
    open(card, loop);
    machine.kill();
    card.removeDevice();
    simulation.runFor(SECOND);
    assertThat(events).isEmpty();
  }
}
