package io.remora.verbs;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/**
 * A domain of isolation ({@code ibv_pd}): its queue pairs reach its memory regions and no others. Belongs to its context's loop.
 *
 * <p>Control operations throw {@link RemoraException}: {@link Status#INVALID} for what makes no sense, {@link Status#UNSUPPORTED} for what the device is not
 * capable of (naming provider and operation), {@link Status#NO_RESOURCES} at its limits.
 */
public interface ProtectionDomain extends AutoCloseable {
  /** Where it belongs. */
  Context context();

  /**
   * Registers native memory. Which memory may be: see {@link Capability#ANY_MEMORY}.
   *
   * @param access bits of {@link Access}
   */
  MemoryRegion register(MemorySegment memory, int access);

  /**
   * All memory of this process, for pieces of this end's own requests: the reserved L_Key of the base memory management extensions (InfiniBand Architecture 1.2.1), which Linux calls {@code local_dma_lkey}. The
   * offset of a piece is its address. Nothing is registered or counted for it and peers can do nothing with it, but nothing is checked either: what a piece names must be memory, and stay so until the request has
   * completed. Needs {@link Capability#RESERVED_LKEY}; one for the domain, which is not closed.
   */
  MemoryRegion reservedRegion();

  /** A memory window, not bound. */
  MemoryWindow allocateMemoryWindow();

  /** A queue pair in the state {@link QueuePairState#RESET}, to be connected without the connection manager: see {@link QueuePair#modify}, and {@link CmId#createQueuePair}. */
  QueuePair createQueuePair(QueuePairConfig config);

  /**
   * A shared receive queue.
   *
   * @param maxRequests the receives that it holds, at least 1
   * @param maxPieces the most pieces of one
   */
  SharedReceiveQueue createSharedReceiveQueue(int maxRequests, int maxPieces);

  /** The way to a datagram destination; its queue pair number and key are said with each request. The port does not matter to all devices. */
  AddressHandle createAddressHandle(InetSocketAddress destination);

  /** Frees it. Refuses ({@link Status#BUSY}, saying what is alive) while something of it is open. Idempotent. */
  @Override
  void close();
}
