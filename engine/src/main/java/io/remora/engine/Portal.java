package io.remora.engine;

import io.remora.base.Addresses;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import io.remora.nvme.tcp.TcpTarget;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * One address at which the node serves, by TCP and as the policy says by RDMA, with a target of its own: what is published at another address cannot be reached here.
 * Belongs to the node's control loop.
 */
final class Portal {
  /** How long what hosts have sent may take; shorter than the node waits. */
  private static final long DRAIN_NS = 3_000_000_000L;
  private static final String MODEL = "Remora volume";
  private static final int MAX_CONTROLLER_ID = 0xFFEF;

  private final Loop loop;
  private final Target target;
  private final TargetListener listener;
  private final RdmaPort rdma;

  private Portal(Loop loop, Target target, TargetListener listener, RdmaPort rdma) {
    this.loop = loop;
    this.target = target;
    this.listener = listener;
    this.rdma = rdma;
  }

  /** Listens at {@code address}, after {@code prepare} has offered what shall be there for the first host. */
  static CompletableFuture<Portal> open(List<Loop> loops, InetSocketAddress address, TargetConfig config, Rdma rdma,
      Preparation prepare) {
    Loop control = loops.getFirst();
    Target target = new Target(config);
    prepare.prepare(target);
    return TcpTarget.listen(loops, address, target).handle((listener, failure) -> {
      if (failure != null) {
        target.close();
        throw unreachable(address, failure);
      }
      return listener;
    }).thenCompose(
        tcp -> RdmaPort.open(control, rdma, target, address, tcp.localAddress()).handle((port, failure) -> {
          if (failure != null) {
            tcp.close();
            target.close();
            throw Causes.remora(failure);
          }
          return new Portal(control, target, tcp, port);
        }));
  }

  /** Offers subsystems before anybody can connect. */
  interface Preparation {
    void prepare(Target target);
  }

  /** Where it listens, with the port that was picked. */
  InetSocketAddress address() {
    return listener.localAddress();
  }

  /** What has come of RDMA here. */
  RdmaPort rdma() {
    return rdma;
  }

  Target target() {
    return target;
  }

  /** Offers a volume as the only namespace of a subsystem. */
  static void offer(Target target, Exports.Offer offer) {
    Subsystem subsystem = target
        .addSubsystem(new Subsystem.Config(offer.nqn(), Names.serial(offer.volume()), MODEL, 1, MAX_CONTROLLER_ID));
    try {
      subsystem.addNamespace(1, offer.device(), offer.protection());
      allow(subsystem, offer.hosts());
    } catch (RemoraException e) {
      target.removeSubsystem(offer.nqn());
      throw e;
    }
  }

  /** Admits exactly {@code hosts}, or any when there are none. */
  static void allow(Subsystem subsystem, List<String> hosts) {
    hosts.forEach(subsystem::allowHost);
    subsystem.allowAnyHost(hosts.isEmpty());
    subsystem.allowedHosts().stream().filter(host -> !hosts.contains(host)).forEach(subsystem::denyHost);
  }

  /** Takes a subsystem away; done, on the control loop, when its device is not in use any more. */
  CompletableFuture<Void> withdraw(String nqn) {
    return target.removeSubsystem(nqn).thenRunAsync(() -> {}, loop);
  }

  /** Takes no more connections. */
  void stopListening() {
    listener.close();
    rdma.close();
  }

  /** Answers what hosts have sent and drops them; done, on the control loop, when no device is in use any more. */
  CompletableFuture<Void> close() {
    stopListening();
    return target.shutDown(DRAIN_NS).thenRunAsync(() -> {}, loop);
  }

  private static RemoraException unreachable(InetSocketAddress address, Throwable failure) {
    Throwable cause = Causes.of(failure);
    Status status = cause instanceof RemoraException known ? known.status() : Status.INTERNAL;
    return new RemoraException(status, "cannot listen at " + Addresses.format(address) + ": " + cause.getMessage()
        + "; choose another address with --listen", cause);
  }
}
