package io.remora.nvme.rdma;

import io.remora.base.RemoraException;
import io.remora.nvme.target.LoopContext;
import io.remora.verbs.Access;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.Capability;
import io.remora.verbs.CmListener;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.Provider;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.net.InetSocketAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The RDMA device of a listener on one loop, with what its connections there share: the protection domain, the loop's I/O memory, registered
 * once, and requests to post. Belongs to the loop; goes when the target's memory on the loop goes, or when it was {@linkplain #retire retired} and its last connection has ended.
 *
 * <p>The memory is registered for this end's own use: peers get no key to it.
 */
final class TargetDevice {
  private static final System.Logger LOG = System.getLogger(TargetDevice.class.getName());
  private static final int COMPLETIONS_PER_POLL = 64;

  final LoopContext context;
  final Context device;
  final ProtectionDomain domain;
  final RegisteredPool memory;
  /** For memory that block devices lend; null when this device does not deal with it as it must be dealt with. */
  final @Nullable MemoryRegion lent;
  final boolean invalidates;
  final WorkCompletions completions = new WorkCompletions(COMPLETIONS_PER_POLL);
  final ReceiveRequest receive = new ReceiveRequest(2);
  final SendRequest read = new SendRequest(1);
  final SendRequest write = new SendRequest(1);
  final SendRequest response = new SendRequest(1);
  private final Set<TargetConnection> connections = new LinkedHashSet<>();
  private final Runnable free = this::close;
  private @Nullable CmListener listener;
  private boolean retired;
  private boolean closed;

  private TargetDevice(LoopContext context, Context device, ProtectionDomain domain, RegisteredPool memory) {
    this.context = context;
    this.device = device;
    this.domain = domain;
    this.memory = memory;
    this.lent = device.attributes().can(Capability.COPIES_AT_ONCE) && device.attributes().can(Capability.RESERVED_LKEY)
        ? domain.reservedRegion()
        : null;
    this.invalidates = device.attributes().can(Capability.SEND_WITH_INVALIDATE);
    context.beforeFree(free);
  }

  /**
   * Opens {@code name} for the loop of {@code context}, on it.
   *
   * @param onFailure hears, on the loop, that the device has failed for good, and why
   * @throws io.remora.base.RemoraException as {@link Provider#open}, and NO_RESOURCES when the loop's memory is more than may be registered
   */
  static TargetDevice open(LoopContext context, Provider provider, String name, RegisteredBytes bytes,
      Consumer<String> onFailure) {
    Context device = provider.open(context.loop(), name);
    ProtectionDomain domain = null;
    try {
      domain = device.allocateProtectionDomain();
      device.onAsyncEvent(event -> {
        if (event.kind() == AsyncEvent.Kind.DEVICE_FATAL) {
          onFailure.accept(event.text());
        }
      });
      return new TargetDevice(context, device, domain,
          RegisteredPool.open(context.pool(), domain, Access.LOCAL_WRITE, bytes));
    } catch (RuntimeException e) {
      if (domain != null) {
        domain.close();
      }
      device.close();
      throw e;
    }
  }

  /** Listens with this loop's device. */
  InetSocketAddress listen(InetSocketAddress address, CmListener.Handler handler) {
    CmListener made = device.connectionManager().listen(address, QueuePairType.RC, handler);
    listener = made;
    return made.localAddress();
  }

  /** Listens no more. Idempotent. */
  void stopListening() {
    CmListener old = listener;
    listener = null;
    if (old != null) {
      old.close();
    }
  }

  void enter(TargetConnection connection) {
    connections.add(connection);
  }

  /** Nothing of the connection's is left. */
  void leave(TargetConnection connection) {
    connections.remove(connection);
    closeWhenUnused();
  }

  /** Drops its connections, and closes when nothing of theirs is left. Idempotent. */
  void retire(String why) {
    retired = true;
    stopListening();
    List.copyOf(connections).forEach(connection -> connection.drop(why));
    closeWhenUnused();
  }

  private void closeWhenUnused() {
    if (retired && !closed && connections.isEmpty()) {
      context.notBeforeFree(free);
      try {
        close();
      } catch (RemoraException e) {
        LOG.log(System.Logger.Level.WARNING, "what was open on the RDMA device that failed stays open: {0}",
            e.getMessage());
      }
    }
  }

  private void close() {
    if (!closed) {
      closed = true;
      stopListening();
      memory.close();
      domain.close();
      device.close();
    }
  }
}
