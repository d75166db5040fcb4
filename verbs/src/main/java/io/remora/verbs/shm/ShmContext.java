package io.remora.verbs.shm;

import io.remora.base.Check;
import io.remora.base.Local;
import io.remora.base.LocalListener;
import io.remora.base.Loop;
import io.remora.base.Pollable;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.AddressHandle;
import io.remora.verbs.Capability;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.soft.SoftContext;
import io.remora.verbs.soft.SoftProtectionDomain;
import io.remora.verbs.soft.SoftQueuePair;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;

/**
 * The device, open on one loop. It asks the rings of its connections for work in every turn; while the loop sleeps, a word that peers can read says so, and they ring the
 * connection's doorbell after what they put into a ring.
 */
final class ShmContext extends SoftContext implements Pollable {
  static final int MAX_DATAGRAM_BYTES = 4096;
  static final int MAX_PRIVATE_DATA_BYTES = 256;
  static final int MAX_READS = 128;
  /** The page of the word that says whether the loop sleeps: an odd number while it does. */
  static final long SLEEP_BYTES = 4096;
  private static final int SCRATCH_BYTES = 8192;

  private static final DeviceAttributes ATTRIBUTES = new DeviceAttributes(ShmProvider.NAME, ShmProvider.DEVICE,
      EnumSet.complementOf(EnumSet.of(Capability.ANY_MEMORY, Capability.MANUAL_CONNECTION)), 1 << 16, 1 << 14, 32, 32,
      1024, 1 << 20, 1 << 14, MAX_READS, 1 << 30, MAX_DATAGRAM_BYTES, MAX_PRIVATE_DATA_BYTES);

  private final Local local;
  private final ShmConnectionManager connections;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment sleep;
  private final int sleepDescriptor;
  private final MemorySegment scratch;
  private final Segments segments = new Segments();
  private final Map<Integer, LocalListener> datagrams = new HashMap<>();
  /** Replaced and never changed, so that one may come or go while they are asked. */
  private LinkedQueuePair[] linked = {};
  private long sleeps;

  ShmContext(Loop loop) {
    super(loop, ATTRIBUTES);
    this.local = loop.local();
    this.connections = new ShmConnectionManager(this);
    this.sleep = local.allocate(arena, SLEEP_BYTES, false);
    Local.SharedMemory memory = local.find(sleep);
    Check.that(memory != null, "shared memory that was just made is not known");
    assert memory != null;
    this.sleepDescriptor = memory.descriptor();
    this.scratch = arena.allocate(SCRATCH_BYTES, 8);
  }

  Local local() {
    return local;
  }

  Segments segments() {
    return segments;
  }

  int sleepDescriptor() {
    return sleepDescriptor;
  }

  /** Room for one message, for the moment. */
  MemorySegment scratch() {
    return scratch;
  }

  @Override
  public ConnectionManager connectionManager() {
    return connections;
  }

  @Override
  protected SoftQueuePair newQueuePair(SoftProtectionDomain domain, QueuePairConfig config) {
    return config.type() == QueuePairType.UD
        ? new DatagramQueuePair(this, domain, config)
        : new LinkedQueuePair(this, (ShmProtectionDomain) domain, config);
  }

  /** As a connection manager's id asks for it. */
  ShmQueuePair makeQueuePair(SoftProtectionDomain domain, QueuePairConfig config) {
    return (ShmQueuePair) newQueuePair(domain, config);
  }

  @Override
  protected SoftProtectionDomain newProtectionDomain() {
    return new ShmProtectionDomain(this);
  }

  @Override
  protected AddressHandle newAddressHandle(SoftProtectionDomain domain, InetSocketAddress destination) {
    connections.requireLocal(destination);
    return new ShmAddressHandle(destination);
  }

  /** The number of a queue pair and of nothing else leads to it. */
  record ShmAddressHandle(InetSocketAddress destination) implements AddressHandle {
    @Override
    public void close() {}
  }

  @Override
  public MemorySegment allocate(Arena of, long bytes) {
    Check.argument(bytes >= 1, "%d bytes of memory", bytes);
    return local.allocate(of, bytes, true);
  }

  // Datagrams: the number of a queue pair is the name of a socket, so that the kernel keeps others from having it.

  @Override
  protected boolean claim(SoftQueuePair queuePair, int number) {
    if (queuePair.type() != QueuePairType.UD) {
      return true;
    }
    try {
      datagrams.put(number,
          local.listen(ShmNames.datagrams(local, number), connection -> accepted(number, connection)));
      return true;
    } catch (RemoraException e) {
      if (e.status() == Status.EXISTS) {
        return false;
      }
      throw e;
    }
  }

  private void accepted(int number, LocalListener.Accepted connection) {
    if (queuePair(number) instanceof DatagramQueuePair to) {
      to.accepted(connection);
    } else {
      connection.close();
    }
  }

  void releaseDatagrams(int number) {
    LocalListener listener = datagrams.remove(number);
    if (listener != null) {
      listener.close();
    }
  }

  // Connections.

  void add(LinkedQueuePair queuePair) {
    linked = Arrays.copyOf(linked, linked.length + 1);
    linked[linked.length - 1] = queuePair;
    if (linked.length == 1) {
      loop().add(this);
    }
  }

  void remove(LinkedQueuePair queuePair) {
    linked = Arrays.stream(linked).filter(other -> other != queuePair).toArray(LinkedQueuePair[]::new);
    if (linked.length == 0) {
      loop().remove(this);
      awake();
    }
  }

  LinkedQueuePair[] linked() {
    return linked;
  }

  @Override
  public int poll() {
    awake();
    int work = 0;
    for (LinkedQueuePair queuePair : linked) {
      work += queuePair.poll();
    }
    return work;
  }

  @Override
  public boolean arm() {
    if ((sleeps & 1) == 0) {
      sleeps++;
      Words.setVolatile(sleep, 0, sleeps);
    }
    for (LinkedQueuePair queuePair : linked) {
      if (queuePair.hasWork()) {
        return false;
      }
    }
    return true;
  }

  private void awake() {
    if ((sleeps & 1) != 0) {
      sleeps++;
      Words.setRelease(sleep, 0, sleeps);
    }
  }

  @Override
  protected void onClosed() {
    arena.close();
  }
}
