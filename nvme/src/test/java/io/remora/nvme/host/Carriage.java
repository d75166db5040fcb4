package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.nvme.rdma.HostRdma;
import io.remora.nvme.rdma.HostRdmaOptions;
import io.remora.nvme.rdma.RdmaTarget;
import io.remora.nvme.rdma.RdmaTargetOptions;
import io.remora.nvme.rdma.RegisteredBytes;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetListener;
import io.remora.nvme.tcp.HostTcp;
import io.remora.nvme.tcp.TcpTarget;
import io.remora.verbs.sim.SimFabric;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/** What carries NVMe between the machines of a simulation, and what can befall it there: what runs over one runs over the other. */
public sealed interface Carriage {
  /** Which. */
  enum Kind {
    TCP, RDMA
  }

  /** For {@code sim}. */
  static Carriage of(Kind kind, Simulation sim) {
    return switch (kind) {
      case TCP -> new Tcp(sim);
      case RDMA -> new Rdma(sim);
    };
  }

  /** The host's end. */
  HostTransport host();

  /** The target's end. */
  CompletableFuture<TargetListener> listen(List<Loop> loops, InetSocketAddress address, Target target);

  /** Every connection between the two breaks now, or as soon as something is sent. */
  void reset(SimMachine a, SimMachine b);

  /** One connection breaks at some point. */
  void breakSome(SimMachine a, SimMachine b);

  /** Nothing arrives from {@code from} at {@code to}. */
  void cut(SimMachine from, SimMachine to);

  /** Everything arrives again. */
  void heal();

  /** What of the memory of connections is left, in bytes. */
  long leftBytes();

  /** NVMe/TCP. */
  record Tcp(Simulation sim) implements Carriage {
    @Override
    public HostTransport host() {
      return new HostTcp();
    }

    @Override
    public CompletableFuture<TargetListener> listen(List<Loop> loops, InetSocketAddress address, Target target) {
      return TcpTarget.listen(loops, address, target);
    }

    @Override
    public void reset(SimMachine a, SimMachine b) {
      sim.net().reset(a, b);
    }

    @Override
    public void breakSome(SimMachine a, SimMachine b) {
      RandomGenerator random = sim.random();
      sim.net().breakNextConnection(a, b, random.nextInt(1 << random.nextInt(19)));
      sim.net().reset(a, b);
    }

    @Override
    public void cut(SimMachine from, SimMachine to) {
      sim.net().cut(from, to);
    }

    @Override
    public void heal() {
      sim.net().heal();
    }

    @Override
    public long leftBytes() {
      return 0;
    }
  }

  /** NVMe/RDMA over a simulated fabric. */
  final class Rdma implements Carriage {
    private static final long MILLI = 1_000_000;
    private final Simulation sim;
    private final SimFabric fabric = new SimFabric();
    private final RegisteredBytes hostBytes = RegisteredBytes.unlessSaidOtherwise();
    private final HostRdma host = new HostRdma(fabric.provider(), HostRdmaOptions.of(hostBytes));

    Rdma(Simulation sim) {
      this.sim = sim;
      fabric.delay(2_000, 200_000);
    }

    /** The fabric. */
    SimFabric fabric() {
      return fabric;
    }

    @Override
    public HostRdma host() {
      return host;
    }

    @Override
    public CompletableFuture<TargetListener> listen(List<Loop> loops, InetSocketAddress address, Target target) {
      return RdmaTarget.listen(loops, address, target, fabric.provider(),
          RdmaTargetOptions.of(RegisteredBytes.unlessSaidOtherwise()));
    }

    @Override
    public void reset(SimMachine a, SimMachine b) {
      fabric.breakConnections(1);
      sim.schedule(MILLI, () -> fabric.breakConnections(0));
    }

    @Override
    public void breakSome(SimMachine a, SimMachine b) {
      fabric.breakConnections(sim.random().nextDouble() * 0.2);
      sim.schedule(sim.random().nextLong(500 * MILLI), () -> fabric.breakConnections(0));
    }

    @Override
    public void cut(SimMachine from, SimMachine to) {
      fabric.reach((a, b) -> !(machine(a).equals(from) && machine(b).equals(to)));
    }

    private static SimMachine machine(Loop loop) {
      return ((SimLoop) loop).machine();
    }

    @Override
    public void heal() {
      fabric.reach((a, b) -> true);
    }

    @Override
    public long leftBytes() {
      return hostBytes.usedBytes();
    }
  }
}
