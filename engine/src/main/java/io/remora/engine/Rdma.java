package io.remora.engine;

import io.remora.base.Addresses;
import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.rdma.RdmaTarget;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetListener;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import io.remora.verbs.provider.RdmaChoice;
import io.remora.verbs.provider.RdmaPolicy;
import io.remora.verbs.provider.RdmaSelection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has targets listen for RDMA beside TCP, as the operator's policy says. Belongs to the node's control loop. */
final class Rdma {
  private static final Logger LOG = LoggerFactory.getLogger(Rdma.class);
  /** What {@link DeviceInfo#fabric} says of devices whose ports are TCP's. */
  private static final String IWARP = "iWARP";
  private static final int MAX_PORT = 65_535;

  /**
   * What has come of it at one address.
   *
   * @param listener null when RDMA is not served there
   * @param provider which provider was chosen; null: none
   * @param address where it listens; null with the listener
   * @param warning why it is less than what was asked for; null when it is not
   * @param passedOver what was not taken, and why
   */
  record Outcome(@Nullable TargetListener listener, @Nullable String provider, @Nullable RdmaAddress address,
      @Nullable String warning, List<String> passedOver) {
    /** Nothing yet. */
    static final Outcome NONE = new Outcome(null, null, null, null, List.of());
  }

  private final List<Loop> loops;
  private final RdmaOptions options;
  private final InetSocketAddress own;
  private final RdmaChoice ownChoice;

  /**
   * Chooses for a node that listens at {@code own}.
   *
   * @throws RemoraException as {@link RdmaSelection#choose}
   */
  Rdma(List<Loop> loops, RdmaOptions options, InetSocketAddress own) {
    this.loops = loops;
    this.options = options;
    this.own = own;
    InetSocketAddress listen = options.listen();
    this.ownChoice = choose(options.policy(), listen == null ? own.getAddress() : listen.getAddress());
    if (ownChoice.rdma()) {
      ownChoice.passedOver().forEach(reason -> LOG.info("RDMA is not by {}", reason));
    }
  }

  private RdmaChoice choose(RdmaPolicy policy, InetAddress address) {
    return RdmaSelection.choose(policy, options.providers(), address);
  }

  /** What was asked for. */
  String transport() {
    RdmaPolicy policy = options.policy();
    return (policy.enabled() ? policy.transport() : RdmaPolicy.Transport.TCP).text();
  }

  /**
   * Has {@code target} listen for RDMA, too.
   *
   * @param asked where it was to listen for TCP
   * @param tcp where it does, with the port that was picked
   * @return done on the control loop; fails when RDMA is required and is not to be had
   */
  CompletableFuture<Outcome> listen(Target target, InetSocketAddress asked, InetSocketAddress tcp) {
    try {
      return listen(target, options.policy(),
          isOwn(asked) ? ownChoice : choose(options.policy(), asked.getAddress()), asked, tcp);
    } catch (RemoraException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * As {@link #listen}, later: what cannot be had is only a warning then, also where RDMA is required, since hosts are served already.
   *
   * @param provider whose device it was; null: any
   */
  CompletableFuture<Outcome> listenAgain(Target target, InetSocketAddress asked, InetSocketAddress tcp,
      @Nullable String provider) {
    RdmaPolicy said = options.policy();
    RdmaPolicy policy = new RdmaPolicy(said.enabled(), said.netInterface(),
        provider == null ? said.providers() : List.of(provider), RdmaPolicy.Transport.PREFER_RDMA);
    InetSocketAddress address = isOwn(asked) ? options.listen() : null;
    try {
      return listen(target, policy, choose(policy, (address == null ? asked : address).getAddress()), asked, tcp);
    } catch (RemoraException e) {
      return CompletableFuture.completedFuture(new Outcome(null, provider, null,
          "cannot look for RDMA devices: " + e.getMessage() + ", so connections go over TCP; see 'remora rdma devices'",
          List.of()));
    }
  }

  /** What has become of {@code outcome}, whose listener has ended. */
  Outcome ended(Outcome outcome, RemoraException why) {
    RdmaAddress was = outcome.address();
    return new Outcome(null, outcome.provider(), null,
        was == null
            ? outcome.warning()
            : "RDMA at " + Addresses.format(was.address()) + " with " + was.provider() + " " + was.device()
                + " has ended: " + why.getMessage() + ", so connections go over TCP; see 'remora rdma devices'",
        outcome.passedOver());
  }

  private boolean isOwn(InetSocketAddress asked) {
    return asked.equals(own);
  }

  private CompletableFuture<Outcome> listen(Target target, RdmaPolicy policy, RdmaChoice choice,
      InetSocketAddress asked, InetSocketAddress tcp) {
    Provider provider = choice.provider();
    DeviceInfo device = choice.device();
    if (provider == null || device == null) {
      return CompletableFuture
          .completedFuture(new Outcome(null, null, null, choice.warning(), choice.passedOver()));
    }
    InetSocketAddress said = isOwn(asked) ? options.listen() : null;
    InetSocketAddress address;
    try {
      address = said != null
          ? said
          : new InetSocketAddress(RdmaSelection.address(policy, device, tcp.getAddress()), port(device, asked, tcp));
    } catch (RemoraException e) {
      return CompletableFuture
          .completedFuture(failed(policy, device, "beside " + Addresses.format(tcp), e, asked, choice.passedOver()));
    }
    return RdmaTarget.listen(loops, address, target, provider, device, options.target()).handle(
        (listener, failure) -> failure == null
            ? new Outcome(listener, provider.name(),
                new RdmaAddress(provider.name(), device.name(), device.fabric(), listener.localAddress()), null,
                choice.passedOver())
            : failed(policy, device, "at " + Addresses.format(address), Causes.remora(failure), asked,
                choice.passedOver()));
  }

  private static int port(DeviceInfo device, InetSocketAddress asked, InetSocketAddress tcp) {
    if (!device.fabric().equals(IWARP)) {
      return tcp.getPort();
    }
    if (asked.getPort() == 0) {
      return 0;
    }
    Check.argument(tcp.getPort() < MAX_PORT, "port %d is the last one, and iWARP would need the next", MAX_PORT);
    return tcp.getPort() + 1;
  }

  private Outcome failed(RdmaPolicy policy, DeviceInfo device, String where, RemoraException cause,
      InetSocketAddress asked, List<String> passedOver) {
    String why = "cannot listen for RDMA " + where + " with " + device.provider() + " " + device.name() + ": "
        + cause.getMessage();
    String remedy = isOwn(asked)
        ? "choose another address with --rdma-listen"
        : "publish at another address";
    if (policy.transport() == RdmaPolicy.Transport.REQUIRE_RDMA) {
      throw new RemoraException(cause.status(),
          why + ", and transport is require-rdma; " + remedy + ", or allow prefer-rdma or tcp", cause);
    }
    return new Outcome(null, device.provider(), null, why + ", so connections go over TCP; " + remedy, passedOver);
  }
}
