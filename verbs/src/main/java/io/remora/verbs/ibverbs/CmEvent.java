package io.remora.verbs.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An event of the connection manager, copied, so that the library's own can be acknowledged before anybody acts on it.
 *
 * @param type what happened: the constants of this record
 * @param id the {@code rdma_cm_id} that it is about
 * @param listener of a request: the listening one; else 0
 * @param status 0, a negated error number, or the number of a rejection
 * @param privateData what the other end said; a read-only copy
 * @param responderResources of a connection: reads and atomics that this end is to serve
 * @param initiatorDepth of a connection: reads and atomics that this end may issue
 * @param address of a datagram connection: the {@code ibv_ah_attr}; else empty
 * @param queuePair of a datagram connection: the other end's
 * @param queueKey of a datagram connection
 */
record CmEvent(int type, long id, long listener, int status, MemorySegment privateData, int responderResources,
    int initiatorDepth, MemorySegment address, int queuePair, int queueKey) {
  static final int ADDR_RESOLVED = 0;
  static final int ADDR_ERROR = 1;
  static final int ROUTE_RESOLVED = 2;
  static final int ROUTE_ERROR = 3;
  static final int CONNECT_REQUEST = 4;
  static final int CONNECT_RESPONSE = 5;
  static final int CONNECT_ERROR = 6;
  static final int UNREACHABLE = 7;
  static final int REJECTED = 8;
  static final int ESTABLISHED = 9;
  static final int DISCONNECTED = 10;
  static final int DEVICE_REMOVAL = 11;

  /** Copies the {@code rdma_cm_event} at {@code event}. */
  static CmEvent copy(long event) {
    int type = Memory.getInt(event + CmEventLayout.EVENT);
    long data = Memory.getLong(event + CmEventLayout.PRIVATE_DATA);
    int length = data == 0 ? 0 : Memory.getUnsignedByte(event + CmEventLayout.PRIVATE_DATA_LENGTH);
    return new CmEvent(type, Memory.getLong(event + CmEventLayout.ID),
        type == CONNECT_REQUEST ? Memory.getLong(event + CmEventLayout.LISTENER) : 0,
        Memory.getInt(event + CmEventLayout.STATUS), copy(data, length),
        Memory.getUnsignedByte(event + CmEventLayout.RESPONDER_RESOURCES),
        Memory.getUnsignedByte(event + CmEventLayout.INITIATOR_DEPTH),
        copy(event + CmEventLayout.DATAGRAM_ADDRESS, AddressLayout.BYTES),
        Memory.getInt(event + CmEventLayout.DATAGRAM_QUEUE_PAIR), Memory.getInt(event + CmEventLayout.DATAGRAM_KEY));
  }

  private static MemorySegment copy(long address, int bytes) {
    return Arena.ofAuto().allocateFrom(JAVA_BYTE, Memory.bytes(address, bytes)).asReadOnly();
  }
}
