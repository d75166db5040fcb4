package io.remora.verbs;

import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/** A request to connect that belongs to no loop yet. Used once, by one thread at a time. */
public interface CmRequest {
  /** Where it comes from. */
  InetSocketAddress remoteAddress();

  /** What the other end has to say; a copy, read-only. May be longer than it was sent, padded with zeros. */
  MemorySegment privateData();

  /** The reads and atomics that the other end wants to have under way at once: what this end is asked to serve. */
  int responderResources();

  /** The reads and atomics that the other end serves at once: what this end may issue. */
  int initiatorDepth();

  /** Makes it an id of {@code context}, which is of the listener's device; on that context's loop. Then accept or reject. */
  CmId attach(Context context, CmId.Handler handler);

  /** Refuses it, with at most {@link DeviceAttributes#maxPrivateDataBytes} bytes of a reason. */
  void reject(MemorySegment privateData);
}
