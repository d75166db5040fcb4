package io.remora.verbs;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.net.InetSocketAddress;

/**
 * Finds peers by address and connects queue pairs ({@code rdma_cm}). Belongs to its context's loop.
 *
 * <p>The connecting end: {@link #resolve}, {@link CmId#createQueuePair}, post receives, {@link CmId#connect}. The accepting end: {@link #listen}, for each {@link CmRequest} attach
 * it to a context, {@link CmId#createQueuePair}, post receives, {@link CmId#accept}. The connection manager brings the queue pair up; the application of the connecting end must be the
 * first to send, which is all that every fabric allows.
 */
public interface ConnectionManager {
  /**
   * Listens at {@code address}; port 0 picks a free one.
   *
   * @param type RC, UC or UD; each has ports of its own on devices other than iWARP's
   * @throws RemoraException {@link Status#EXISTS} when the address is in use, {@link Status#INVALID} when it is not this device's, {@link Status#UNSUPPORTED} for the type
   */
  CmListener listen(InetSocketAddress address, QueuePairType type, CmListener.Handler handler);

  /** Begins to look for the way to {@code address}; the handler hears {@link CmId.Handler#onResolved} or {@link CmId.Handler#onFailed}, never before this returns. */
  CmId resolve(InetSocketAddress address, QueuePairType type, CmId.Handler handler);
}
