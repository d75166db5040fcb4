package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.QueuePairAttributes;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;

/** Brings a queue pair from state to state, by hand or as the connection manager says. Belongs to the queue pair's loop. */
final class QueuePairChanges {
  /** 4.096 us * 2^14 = 67 ms until a packet is sent again. */
  private static final int TIMEOUT = 14;
  private static final int RETRIES = 7;
  /** For ever: a receiver that is not ready is its user's affair. */
  private static final int RNR_RETRIES = 7;
  /** 0.64 ms; the connection manager's own 0 would be 655 ms. */
  private static final int MIN_RNR_TIMER = 12;
  /** Old kernels hand these bits of RoCE out, and no library takes them back. */
  private static final int INTERNAL_MASK = 0xe00000;

  private final OpenDevice device;
  private final long queuePair;
  private final QueuePairType type;
  private final Arena arena;
  private final long attributes;
  private final long mask;

  QueuePairChanges(OpenDevice device, long queuePair, QueuePairType type) {
    this.device = device;
    this.queuePair = queuePair;
    this.type = type;
    this.arena = Arena.ofShared();
    this.attributes = arena.allocate(QueuePairAttributeLayout.BYTES + QueuePairInitLayout.BYTES, 8).address();
    this.mask = arena.allocate(4, 4).address();
  }

  /** Asks the device. */
  QueuePairState query() {
    clear();
    NativeErrors.check(device.libraries.verbs().queryQp.call(queuePair, attributes, QueuePairAttributeLayout.MASK_STATE,
        attributes + QueuePairAttributeLayout.BYTES), device.what("ask a queue pair for its state"));
    int code = Memory.getInt(attributes + QueuePairAttributeLayout.STATE);
    for (QueuePairState state : QueuePairState.values()) {
      if (state.code() == code) {
        return state;
      }
    }
    throw new RemoraException(Status.INTERNAL, device.what("a queue pair in the unknown state " + code));
  }

  /** Carries out what its user wants. */
  void to(QueuePairAttributes wanted) {
    clear();
    int bits = QueuePairAttributeLayout.MASK_STATE | switch (wanted.state()) {
      case INIT -> init(wanted);
      case READY_TO_RECEIVE -> receive(wanted);
      case READY_TO_SEND -> send(wanted);
      case RESET, ERROR, SEND_DRAINED -> 0;
      case SEND_ERROR ->
        throw new RemoraException(Status.INVALID, "nobody brings a queue pair to SEND_ERROR but the device");
    };
    apply(wanted.state(), bits);
  }

  private int init(QueuePairAttributes wanted) {
    Memory.putByte(attributes + QueuePairAttributeLayout.PORT, device.port);
    int bits = QueuePairAttributeLayout.MASK_PKEY_INDEX | QueuePairAttributeLayout.MASK_PORT;
    if (type == QueuePairType.UD) {
      Memory.putInt(attributes + QueuePairAttributeLayout.QUEUE_KEY, wanted.queueKey());
      return bits | QueuePairAttributeLayout.MASK_QUEUE_KEY;
    }
    int rights = wanted.remoteAccess();
    if (type == QueuePairType.UC) {
      rights &= Access.REMOTE_WRITE;
    }
    Memory.putInt(attributes + QueuePairAttributeLayout.ACCESS, rights);
    return bits | QueuePairAttributeLayout.MASK_ACCESS;
  }

  private int receive(QueuePairAttributes wanted) {
    if (type == QueuePairType.UD) {
      return 0;
    }
    Check.argument(wanted.destination() instanceof IbvAddressHandle,
        "to READY_TO_RECEIVE the way to the other end must be said, an address handle of this provider");
    if (wanted.destination() instanceof IbvAddressHandle handle) {
      handle.writeTo(attributes + QueuePairAttributeLayout.ADDRESS);
    }
    Memory.putInt(attributes + QueuePairAttributeLayout.PATH_MTU, device.mtuCode);
    Memory.putInt(attributes + QueuePairAttributeLayout.DESTINATION, wanted.destinationQueuePair());
    Memory.putInt(attributes + QueuePairAttributeLayout.RECEIVE_PSN, wanted.receiveSequence());
    int bits = QueuePairAttributeLayout.MASK_ADDRESS | QueuePairAttributeLayout.MASK_PATH_MTU
        | QueuePairAttributeLayout.MASK_DESTINATION | QueuePairAttributeLayout.MASK_RECEIVE_PSN;
    if (type == QueuePairType.UC) {
      return bits;
    }
    Memory.putByte(attributes + QueuePairAttributeLayout.MAX_SERVED_READS, device.attributes.maxReads());
    Memory.putByte(attributes + QueuePairAttributeLayout.MIN_RNR_TIMER, MIN_RNR_TIMER);
    return bits | QueuePairAttributeLayout.MASK_MAX_SERVED_READS | QueuePairAttributeLayout.MASK_MIN_RNR_TIMER;
  }

  private int send(QueuePairAttributes wanted) {
    Memory.putInt(attributes + QueuePairAttributeLayout.SEND_PSN, wanted.sendSequence());
    int bits = QueuePairAttributeLayout.MASK_SEND_PSN;
    if (type != QueuePairType.RC) {
      return bits;
    }
    Memory.putByte(attributes + QueuePairAttributeLayout.TIMEOUT, TIMEOUT);
    Memory.putByte(attributes + QueuePairAttributeLayout.RETRIES, RETRIES);
    Memory.putByte(attributes + QueuePairAttributeLayout.RNR_RETRIES, RNR_RETRIES);
    Memory.putByte(attributes + QueuePairAttributeLayout.MAX_READS, device.attributes.maxReads());
    return bits | QueuePairAttributeLayout.MASK_TIMEOUT | QueuePairAttributeLayout.MASK_RETRIES
        | QueuePairAttributeLayout.MASK_RNR_RETRIES | QueuePairAttributeLayout.MASK_MAX_READS;
  }

  /** Brings it to {@code state} as the connection manager says for the connection {@code id}, with at most {@code reads} reads under way, or served. */
  void follow(CmLibrary cm, long id, QueuePairState state, int reads) {
    clear();
    Memory.putInt(attributes + QueuePairAttributeLayout.STATE, state.code());
    NativeErrors.check(cm.initQpAttr.call(id, attributes, mask),
        device.what("ask how to bring a queue pair to " + state));
    int bits = Memory.getInt(mask);
    if (bits == 0) {
      // On iWARP accepting and connecting do the rest.
      return;
    }
    if (device.fabric == Fabric.INFINIBAND) {
      bits &= ~INTERNAL_MASK;
    }
    if (state == QueuePairState.INIT && (bits & QueuePairAttributeLayout.MASK_ACCESS) != 0) {
      int atomics = device.attributes.can(Capability.ATOMICS) ? Access.REMOTE_ATOMIC : 0;
      Memory.putInt(attributes + QueuePairAttributeLayout.ACCESS, Access.REMOTE_WRITE | Access.REMOTE_READ | atomics);
    }
    if ((bits & QueuePairAttributeLayout.MASK_MIN_RNR_TIMER) != 0) {
      Memory.putByte(attributes + QueuePairAttributeLayout.MIN_RNR_TIMER, MIN_RNR_TIMER);
    }
    if ((bits & QueuePairAttributeLayout.MASK_MAX_SERVED_READS) != 0) {
      Memory.putByte(attributes + QueuePairAttributeLayout.MAX_SERVED_READS, reads);
    }
    if ((bits & QueuePairAttributeLayout.MASK_MAX_READS) != 0) {
      Memory.putByte(attributes + QueuePairAttributeLayout.MAX_READS, reads);
    }
    apply(state, bits);
  }

  /** Brings a datagram queue pair to READY_TO_RECEIVE or READY_TO_SEND. */
  void datagram(QueuePairState state) {
    clear();
    apply(state, QueuePairAttributeLayout.MASK_STATE
        | (state == QueuePairState.READY_TO_SEND ? QueuePairAttributeLayout.MASK_SEND_PSN : 0));
  }

  private void apply(QueuePairState state, int bits) {
    Memory.putInt(attributes + QueuePairAttributeLayout.STATE, state.code());
    NativeErrors.check(device.libraries.verbs().modifyQp.call(queuePair, attributes, bits),
        device.what("bring a queue pair to " + state));
  }

  private void clear() {
    Memory.zero(attributes, QueuePairAttributeLayout.BYTES);
  }

  void close() {
    arena.close();
  }
}
