package io.remora.verbs;

/**
 * A revocable key to a part of a memory region ({@code ibv_mw}, type 2): bound by {@link SendRequest#bind}, for as long as one request of a peer's lasts, and
 * made invalid by {@link SendRequest#localInvalidate} or by the peer's {@link SendOpcode#SEND_WITH_INVALIDATE}. Bound, it belongs to the queue pair
 * that bound it: peers of other queue pairs cannot use it.
 */
public interface MemoryWindow extends AutoCloseable {
  /** Its present key; names nothing while it is not bound. */
  int remoteKey();

  /** The key to bind it with next: another one than those that peers have seen lately. Does not change anything. */
  int nextKey();

  /** Where it belongs. */
  ProtectionDomain protectionDomain();

  /** Invalidates and frees it. Idempotent. */
  @Override
  void close();
}
