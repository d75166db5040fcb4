package io.remora.nvme.rdma;

import io.remora.base.BufferPool;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.nvme.host.DiscoveryEntry;
import io.remora.nvme.host.HostCommand;
import io.remora.nvme.host.HostLink;
import io.remora.nvme.host.HostTransport;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Connects a host's queues by NVMe/RDMA. From any thread, unless a method says otherwise; connections of one loop share its device.
 *
 * <p>Data in buffers of a pool that was named by {@link #use} is neither copied nor are peers given more of it than each command's part, for as long as the command lasts. That needs a device
 * with memory windows, and data in one piece; all else is copied once, through registered memory of this transport's own.
 */
public final class HostRdma implements HostTransport {
  private record Key(Loop loop, String device) {}

  private final Provider provider;
  private final HostRdmaOptions options;
  private final Map<Key, HostDevice> devices = new ConcurrentHashMap<>();
  private final Map<Loop, List<BufferPool>> pools = new ConcurrentHashMap<>();

  /** Over the devices of {@code provider}. */
  public HostRdma(Provider provider, HostRdmaOptions options) {
    this.provider = provider;
    this.options = options;
  }

  @Override
  public String name() {
    return "rdma";
  }

  @Override
  public DiscoveryEntry.Transport type() {
    return DiscoveryEntry.Transport.RDMA;
  }

  /** None: an admin queue's capsules are a command long (NVMe RDMA Transport 1.0, 3.3). */
  @Override
  public int adminCapsuleBytes() {
    return 0;
  }

  @Override
  public void use(Loop loop, BufferPool pool) {
    List<BufferPool> known = pools.computeIfAbsent(loop, _ -> new CopyOnWriteArrayList<>());
    if (!known.contains(pool)) {
      try {
        of(loop).forEach(device -> device.use(pool));
      } catch (RemoraException e) {
        of(loop).forEach(device -> device.forget(pool));
        throw e;
      }
    }
    known.add(pool);
  }

  @Override
  public void forget(Loop loop, BufferPool pool) {
    List<BufferPool> known = pools.getOrDefault(loop, List.of());
    if (known.remove(pool) && !known.contains(pool)) {
      of(loop).forEach(device -> device.forget(pool));
    }
  }

  private List<HostDevice> of(Loop loop) {
    return devices.values().stream().filter(device -> device.loop() == loop).toList();
  }

  @Override
  public HostLink connect(Loop loop, Link link, HostLink.Events events) {
    try {
      HostRdmaLink made = new HostRdmaLink(device(loop, link), link, events, options);
      made.open();
      return made;
    } catch (RemoraException e) {
      return new Stillborn(loop, events, e);
    }
  }

  private HostDevice device(Loop loop, Link link) {
    DeviceInfo info = RdmaDevices.choose(provider, link.address().getAddress());
    Key key = new Key(loop, info.name());
    HostDevice known = devices.get(key);
    if (known == null) {
      known = HostDevice.open(provider, info.name(), loop, options,
          pools.getOrDefault(loop, List.of()).stream().distinct().toList(),
          () -> devices.remove(key));
      devices.put(key, known);
    }
    return known;
  }

  /** A connection that could not even be begun; says so when its owner has it. */
  private static final class Stillborn implements HostLink {
    private boolean closed;

    Stillborn(Loop loop, Events events, RemoraException reason) {
      loop.defer(() -> {
        if (!closed) {
          closed = true;
          events.onFailed(reason.status(), reason.getMessage());
        }
      });
    }

    @Override
    public void send(HostCommand command) {
      throw new IllegalStateException("not connected: " + command);
    }

    @Override
    public void close(boolean abruptly) {
      closed = true;
    }
  }
}
