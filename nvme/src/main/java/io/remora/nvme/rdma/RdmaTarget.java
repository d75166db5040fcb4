package io.remora.nvme.rdma;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.nvme.target.LoopContext;
import io.remora.nvme.target.LoopSeats;
import io.remora.nvme.target.Port;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetListener;
import io.remora.verbs.CmRequest;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** Makes a target reachable by NVMe/RDMA. */
public final class RdmaTarget {
  private static final System.Logger LOG = System.getLogger(RdmaTarget.class.getName());
  /** The provider whose connections stay on this machine: no discovery log names them. */
  private static final String SHARED_MEMORY = "shm";

  private final List<Loop> loops;
  private final Target target;
  private final Provider provider;
  private final DeviceInfo device;
  private final RdmaTargetOptions options;
  private final LoopSeats seats;
  /** What each loop has; made on that loop when its first connection comes. */
  private final Map<Loop, TargetDevice> devices = new ConcurrentHashMap<>();

  private RdmaTarget(List<Loop> loops, Target target, Provider provider, DeviceInfo device, RdmaTargetOptions options) {
    this.loops = loops;
    this.target = target;
    this.provider = provider;
    this.device = device;
    this.options = options;
    this.seats = new LoopSeats(loops.getFirst(), loops);
  }

  /**
   * Listens at {@code address} (port 0 picks a free one) on the device of {@code provider} that has it. Connections, and so queues, are dealt to {@code loops}
   * evenly ({@link LoopSeats}); the first one takes their requests. From any thread. The device is closed with the target.
   *
   * @return completes on the first loop; fails with {@link RemoraException} as {@link Provider#open} and {@link io.remora.verbs.ConnectionManager#listen}, and with
   *     NO_RESOURCES when memory of the target is more than may be registered
   */
  public static CompletableFuture<TargetListener> listen(List<Loop> loops, InetSocketAddress address, Target target,
      Provider provider,
      RdmaTargetOptions options) {
    return listen(loops, address, target, provider, () -> RdmaDevices.choose(provider, address.getAddress()), options);
  }

  /** As above, on {@code device}, which is {@code provider}'s. */
  public static CompletableFuture<TargetListener> listen(List<Loop> loops, InetSocketAddress address, Target target,
      Provider provider, DeviceInfo device, RdmaTargetOptions options) {
    return listen(loops, address, target, provider, () -> device, options);
  }

  private static CompletableFuture<TargetListener> listen(List<Loop> loops, InetSocketAddress address, Target target,
      Provider provider, Supplier<DeviceInfo> device, RdmaTargetOptions options) {
    CompletableFuture<TargetListener> done = new CompletableFuture<>();
    loops.getFirst().execute(() -> {
      try {
        done.complete(new RdmaTarget(List.copyOf(loops), target, provider, device.get(), options).open(address));
      } catch (RemoraException e) {
        done.completeExceptionally(e);
      }
    });
    return done;
  }

  private TargetListener open(InetSocketAddress address) {
    Loop first = loops.getFirst();
    TargetDevice own = on(target.on(first));
    InetSocketAddress at = own.listen(address, this::onRequest);
    Port port = Port.rdma(target.newPortId(), at, RdmaDevices.fabric(device));
    if (!provider.name().equals(SHARED_MEMORY)) {
      target.addPort(port);
    }
    return new TargetListener(at, port, () -> {
      target.removePort(port);
      first.execute(own::stopListening);
    });
  }

  private TargetDevice on(LoopContext context) {
    TargetDevice known = devices.get(context.loop());
    if (known == null) {
      known = TargetDevice.open(context, provider, device.name(), options.bytes());
      devices.put(context.loop(), known);
    }
    return known;
  }

  private void onRequest(CmRequest request) {
    LoopSeats.Seat seat = seats.take(request.remoteAddress().getAddress());
    Loop loop = seat.loop();
    if (loop == loops.getFirst()) {
      serve(request, seat);
    } else {
      loop.execute(() -> serve(request, seat));
    }
  }

  private void serve(CmRequest request, LoopSeats.Seat seat) {
    LoopContext context = target.on(seat.loop());
    try {
      if (!context.open()) {
        throw new Rejection(RejectStatus.NO_RESOURCES, "the target closes");
      }
      ConnectionTerms terms = ConnectionTerms.of(request, options, target);
      TargetConnection.serve(on(context), request, terms, options, seat);
    } catch (Rejection e) {
      LOG.log(System.Logger.Level.DEBUG, "{0}: rejected: {1}", request.remoteAddress(), e.getMessage());
      refuse(request, seat, e.reason());
    } catch (RemoraException e) {
      LOG.log(System.Logger.Level.WARNING, "{0}: rejected: {1}", request.remoteAddress(), e.getMessage());
      refuse(request, seat, RejectStatus.NO_RESOURCES);
    }
  }

  /** A request that is no connection's yet is the listener's loop's. */
  private void refuse(CmRequest request, LoopSeats.Seat seat, RejectStatus status) {
    loops.getFirst().execute(() -> request.reject(status.encode()));
    seat.leave();
  }
}
