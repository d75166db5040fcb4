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
   * @param address where it listens; null with the listener
   * @param warning why it is less than what was asked for; null when it is not
   * @param passedOver what was not taken, and why
   */
  record Outcome(@Nullable TargetListener listener, @Nullable RdmaAddress address, @Nullable String warning,
      List<String> passedOver) {}

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
    this.ownChoice = choose(listen == null ? own.getAddress() : listen.getAddress());
    if (ownChoice.rdma()) {
      ownChoice.passedOver().forEach(reason -> LOG.info("RDMA is not by {}", reason));
    }
  }

  private RdmaChoice choose(InetAddress address) {
    return RdmaSelection.choose(options.policy(), options.providers(), address);
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
    boolean here = asked.equals(own);
    try {
      RdmaChoice choice = here ? ownChoice : choose(asked.getAddress());
      Provider provider = choice.provider();
      DeviceInfo device = choice.device();
      if (provider == null || device == null) {
        return CompletableFuture.completedFuture(without(choice.warning(), choice.passedOver()));
      }
      return listen(target, provider, device, here ? options.listen() : null, asked, tcp, choice.passedOver());
    } catch (RemoraException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private CompletableFuture<Outcome> listen(Target target, Provider provider, DeviceInfo device,
      @Nullable InetSocketAddress said, InetSocketAddress asked, InetSocketAddress tcp, List<String> passedOver) {
    InetSocketAddress address;
    try {
      address = said != null
          ? said
          : new InetSocketAddress(RdmaSelection.address(options.policy(), device, tcp.getAddress()),
              port(device, asked, tcp));
    } catch (RemoraException e) {
      return CompletableFuture.completedFuture(failed(device, "beside " + Addresses.format(tcp), e, asked, passedOver));
    }
    return RdmaTarget.listen(loops, address, target, provider, device, options.target()).handle(
        (listener, failure) -> failure == null
            ? new Outcome(listener,
                new RdmaAddress(provider.name(), device.name(), device.fabric(), listener.localAddress()), null,
                passedOver)
            : failed(device, "at " + Addresses.format(address), Causes.remora(failure), asked,
                passedOver));
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

  private Outcome failed(DeviceInfo device, String where, RemoraException cause, InetSocketAddress asked,
      List<String> passedOver) {
    String why = "cannot listen for RDMA " + where + " with " + device.provider() + " " + device.name() + ": "
        + cause.getMessage();
    String remedy = asked.equals(own)
        ? "choose another address with --rdma-listen"
        : "publish at another address";
    if (options.policy().transport() == RdmaPolicy.Transport.REQUIRE_RDMA) {
      throw new RemoraException(cause.status(),
          why + ", and transport is require-rdma; " + remedy + ", or allow prefer-rdma or tcp", cause);
    }
    return without(why + ", so connections go over TCP; " + remedy, passedOver);
  }

  private static Outcome without(@Nullable String warning, List<String> passedOver) {
    if (warning != null) {
      LOG.warn("{}", warning);
    }
    return new Outcome(null, null, warning, passedOver);
  }
}
