package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The connection manager of a context: an event channel that its loop watches. Belongs to that loop.
 *
 * <p>An event is copied and acknowledged at once, so that destroying an id never waits. Which object an id belongs to is known to the whole device,
 * since a request changes loops when it is attached.
 */
final class IbvConnections implements ConnectionManager {
  private static final int PORT_SPACE_TCP = 0x106;
  private static final int PORT_SPACE_UDP = 0x111;

  private final IbvContext context;
  private final OpenDevice device;
  private final CmLibrary cm;
  private final long channel;
  private final Loop.Watch watch;

  IbvConnections(IbvContext context) {
    this.context = context;
    this.device = context.device();
    this.cm = device.libraries.cm();
    this.channel = NativeErrors.check(cm.createEventChannel.call(),
        device.what("an event channel of the connection manager"));
    int descriptor = Memory.getInt(channel);
    NativeErrors.check(device.libraries.system().setNonBlocking(descriptor),
        device.what("an event channel of the connection manager"));
    this.watch = context.loop().watch(descriptor, this::onReadable);
  }

  @Override
  public CmListener listen(InetSocketAddress address, QueuePairType type, CmListener.Handler handler) {
    return new IbvCmListener(context, this, address, type, handler);
  }

  @Override
  public CmId resolve(InetSocketAddress address, QueuePairType type, CmId.Handler handler) {
    return IbvCmId.resolving(context, this, address, type, handler);
  }

  /** A new id whose events go to {@code target}. */
  long newId(QueuePairType type, CmTarget target) {
    device.require(type.capability(), "a connection of type " + type);
    if (type == QueuePairType.UC) {
      throw new RemoraException(Status.UNSUPPORTED, device.what("a connection of type UC")
          + " is not supported by librdmacm: bring the queue pair up by modify");
    }
    try (Arena arena = Arena.ofConfined()) {
      long place = arena.allocate(8, 8).address();
      NativeErrors.check(
          cm.createId.call(channel, place, 0, type == QueuePairType.UD ? PORT_SPACE_UDP : PORT_SPACE_TCP),
          device.what("a connection"));
      long id = Memory.getLong(place);
      device.cmTargets.put(id, target);
      return id;
    }
  }

  /** From now on the events of {@code id} come here and go to {@code target}. */
  void adopt(long id, CmTarget target) {
    device.cmTargets.put(id, target);
    NativeErrors.check(cm.migrateId.call(id, channel), device.what("attach a connection"));
  }

  /** Destroys {@code id}. */
  void destroy(long id) {
    device.cmTargets.remove(id);
    cm.destroyId.call(id);
  }

  private void onReadable() {
    try (Arena arena = Arena.ofConfined()) {
      long place = arena.allocate(8, 8).address();
      while (cm.getCmEvent.call(channel, place) >= 0) {
        long raw = Memory.getLong(place);
        CmEvent event = CmEvent.copy(raw);
        CmTarget target = device.cmTargets.get(event.listener() != 0 ? event.listener() : event.id());
        cm.ackCmEvent.call(raw);
        dispatch(event, target);
      }
    }
  }

  private void dispatch(CmEvent event, @Nullable CmTarget target) {
    if (target == null) {
      if (event.type() == CmEvent.CONNECT_REQUEST) {
        cm.reject.call(event.id(), 0, 0);
        cm.destroyId.call(event.id());
      }
    } else if (target.loop() == context.loop()) {
      target.onEvent(event);
    } else {
      target.loop().execute(() -> target.onEvent(event));
    }
  }

  /** Nothing of it is open any more. */
  void close() {
    watch.close();
    cm.destroyEventChannel.call(channel);
  }

  /** The native structure for {@code parameters}, in {@code arena}. */
  static long parameters(Arena arena, OpenDevice device, CmId.Parameters parameters, IbvQueuePair queuePair, int serves,
      int reads) {
    long to = arena.allocate(CmParameterLayout.BYTES, 8).address();
    int length = privateData(device, parameters.privateData());
    if (length > 0) {
      long data = arena.allocate(length, 8).address();
      Memory.copy(parameters.privateData(), data);
      Memory.putLong(to + CmParameterLayout.PRIVATE_DATA, data);
    }
    Memory.putByte(to + CmParameterLayout.PRIVATE_DATA_LENGTH, length);
    Memory.putByte(to + CmParameterLayout.RESPONDER_RESOURCES, serves);
    Memory.putByte(to + CmParameterLayout.INITIATOR_DEPTH, reads);
    Memory.putByte(to + CmParameterLayout.RETRIES, 7);
    Memory.putByte(to + CmParameterLayout.RNR_RETRIES, 7);
    Memory.putByte(to + CmParameterLayout.SHARED_RECEIVES, queuePair.isShared() ? 1 : 0);
    Memory.putInt(to + CmParameterLayout.QUEUE_PAIR, queuePair.number());
    return to;
  }

  /** The length of private data, which the fabric must have room for. */
  static int privateData(OpenDevice device, MemorySegment data) {
    Check.argument(data.byteSize() <= device.attributes.maxPrivateDataBytes(), "private data of %d bytes: at most %d",
        data.byteSize(), device.attributes.maxPrivateDataBytes());
    return (int) data.byteSize();
  }
}
