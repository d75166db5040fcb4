package io.remora.nvme.rdma;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.target.LoopContext;
import io.remora.nvme.target.LoopSeats;
import io.remora.nvme.target.Port;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetListener;
import io.remora.verbs.Capability;
import io.remora.verbs.CmRequest;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes a target reachable by NVMe/RDMA, with one device. When that fails for good ({@link io.remora.verbs.AsyncEvent.Kind#DEVICE_FATAL}) the listener
 * {@linkplain TargetListener#ended ends}, connections are dropped, and the device is closed as soon as nothing of it is in use.
 */
public final class RdmaTarget {
  private static final System.Logger LOG = System.getLogger(RdmaTarget.class.getName());
  private final List<Loop> loops;
  private final Target target;
  private final Provider provider;
  private final DeviceInfo device;
  /** What the device lets be of those that were asked for; known when it is open. */
  private RdmaTargetOptions options;
  private final LoopSeats seats;
  /** What each loop has; made on that loop when its first connection comes. */
  private final Map<Loop, TargetDevice> devices = new ConcurrentHashMap<>();
  /** The first loop's. */
  private @Nullable TargetListener listener;
  private volatile boolean failed;
  private int loopsWithDevice;

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
   * evenly ({@link LoopSeats}); the first one takes their requests. From any thread. The device is closed with the target, or when it fails.
   *
   * @return completes on the first loop; fails with {@link RemoraException} as {@link Provider#open} and {@link io.remora.verbs.ConnectionManager#listen}, with
   *     NO_RESOURCES when memory of the target is more than may be registered, and with ABORTED when the target closes
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
    LoopContext context = target.on(first);
    if (!context.open()) {
      throw new RemoraException(Status.ABORTED, "the target closes");
    }
    TargetDevice own = on(context);
    InetSocketAddress at;
    try {
      at = own.listen(address, this::onRequest);
    } catch (RemoraException e) {
      own.retire("nothing listens with it");
      throw e;
    }
    Port port = Port.rdma(target.newPortId(), at, RdmaDevices.fabric(device));
    if (own.device.attributes().can(Capability.SHARED_MEMORY)) {
      // A read of the host's memory costs less than a capsule with data.
      options = options.withInCapsuleBytes(0);
    } else {
      target.addPort(port);
    }
    TargetListener made = new TargetListener(at, port, () -> {
      target.removePort(port);
      first.execute(own::stopListening);
    });
    listener = made;
    return made;
  }

  private TargetDevice on(LoopContext context) {
    if (failed) {
      throw new RemoraException(Status.DISCONNECTED, "the RDMA device has failed");
    }
    TargetDevice known = devices.get(context.loop());
    if (known == null) {
      known = TargetDevice.open(context, provider, device.name(), options.bytes(),
          why -> loops.getFirst().execute(() -> fail(why)));
      devices.put(context.loop(), known);
    }
    return known;
  }

  /**
   * The device has failed. What is open on it goes, the first loop's after the others': requests that are refused there are the listener's. On the
   * first loop.
   */
  private void fail(String why) {
    TargetListener own = listener;
    if (failed || own == null) {
      return;
    }
    failed = true;
    own.fail(new RemoraException(Status.DISCONNECTED, why));
    Loop first = loops.getFirst();
    loopsWithDevice = loops.size();
    for (Loop loop : loops) {
      loop.execute(() -> {
        if (loop != first) {
          retire(loop, why);
        }
        first.execute(() -> {
          if (--loopsWithDevice == 0) {
            retire(first, why);
          }
        });
      });
    }
  }

  private void retire(Loop loop, String why) {
    TargetDevice open = devices.remove(loop);
    if (open != null) {
      open.retire(why);
    }
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
