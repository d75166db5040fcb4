package io.remora.verbs.iwarp;

import io.remora.verbs.CmId;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * How one end comes to an {@link Agreement}: by what its user wants, and what the other end has said in its Request or Reply (RFC 5044 7, RFC 6581 5). Belongs to its connection's loop.
 *
 * <p>The connecting end: {@link #want}, {@link #request}, {@link #take}. The accepting end: {@link #want}, {@link #reply}.
 */
final class Negotiation {
  /** No cause to end it. */
  static final int AGREED = -1;

  private final IwarpProvider.Config config;
  private CmId.Parameters wanted = CmId.Parameters.DEFAULT;
  private @Nullable Mpa other;
  private @Nullable Agreement agreement;

  /**
   * Begins.
   *
   * @param request of the other end; null: this is the connecting end
   */
  Negotiation(IwarpProvider.Config config, @Nullable Mpa request) {
    this.config = config;
    this.other = request;
  }

  /** Takes what this end's user wants; with a copy of its private data, which it has checked. */
  void want(CmId.Parameters parameters) {
    wanted = parameters.with(MemorySegment.ofArray(IwarpRequest.checked(parameters.privateData())));
  }

  /** What the connecting end says. */
  Mpa request() {
    boolean enhanced = config.revision() == 2;
    int bits = (config.crc() ? Mpa.CRC : 0) | (enhanced ? Mpa.ENHANCED : 0) | (config.extensions() ? Mpa.OFFER : 0);
    boolean starts = config.peerToPeer();
    Mpa.Enhanced extra = enhanced
        ? new Mpa.Enhanced(wanted.responderResources() | (starts ? Mpa.Enhanced.PEER_TO_PEER : 0),
            wanted.initiatorDepth() | (starts ? Mpa.Enhanced.START_WRITE | Mpa.Enhanced.START_READ : 0))
        : null;
    return new Mpa(false, bits, config.revision(), extra, privateData());
  }

  /** The connecting end takes a Reply that accepts. Returns {@link #AGREED}, or the cause of a Terminate. */
  int take(Mpa reply) {
    other = reply;
    Mpa.Enhanced extra = config.revision() == 2 ? reply.enhanced() : null;
    int serves = wanted.responderResources();
    int reads = wanted.initiatorDepth();
    boolean starts = false;
    if (extra != null) {
      serves = Math.max(serves, extra.wanted());
      reads = Math.min(reads, extra.served());
      starts = config.peerToPeer() && extra.peerToPeer();
      if (serves > IwarpContext.MAX_READS) {
        return Terminate.NOT_ENOUGH_READS;
      }
      if (starts && !extra.startWrite() && !extra.startRead()) {
        return Terminate.NO_COMMON_START;
      }
    }
    boolean ours = config.extensions() && reply.has(Mpa.TAKEN) && !reply.has(Mpa.OFFER);
    boolean byRead = starts && extra != null && !extra.startWrite();
    agreement = new Agreement(serves, reads, config.crc() || reply.has(Mpa.CRC), ours, starts, byRead);
    return AGREED;
  }

  /** The accepting end agrees, and says this. */
  Mpa reply() {
    Mpa request = other;
    assert request != null;
    boolean crc = config.crc() || request.has(Mpa.CRC);
    boolean ours = config.extensions() && request.has(Mpa.OFFER);
    int serves = wanted.responderResources();
    int reads = wanted.initiatorDepth();
    Mpa.Enhanced extra = request.enhanced();
    Mpa.Enhanced answer = null;
    if (extra != null) {
      // A peer that is promised fewer reads than it wants may give up: better a longer queue.
      serves = Math.min(IwarpContext.MAX_READS, Math.max(serves, extra.wanted()));
      reads = Math.min(reads, extra.served());
      boolean starts = extra.peerToPeer();
      int way = extra.startWrite() || !extra.startRead() ? Mpa.Enhanced.START_WRITE : Mpa.Enhanced.START_READ;
      answer = new Mpa.Enhanced(serves | (starts ? Mpa.Enhanced.PEER_TO_PEER : 0), reads | (starts ? way : 0));
    }
    agreement = new Agreement(serves, reads, crc, ours, false, false);
    int bits = (crc ? Mpa.CRC : 0) | (answer != null ? Mpa.ENHANCED : 0) | (ours ? Mpa.TAKEN : 0);
    return new Mpa(true, bits, request.revision(), answer, privateData());
  }

  /** The Reply of an accepting end that does not want the connection, as bytes. */
  byte[] refusal(byte[] data) {
    return IwarpRequest.refusal(other, data);
  }

  /** What was agreed on; null before. */
  @Nullable
  Agreement agreement() {
    return agreement;
  }

  /** That, for the user. */
  CmId.Established told(Agreement agreed) {
    Mpa from = other;
    byte[] data = from == null ? new byte[0] : from.privateData();
    return new CmId.Established(MemorySegment.ofArray(data).asReadOnly(), agreed.responderResources(),
        agreed.initiatorDepth(), null, 0, 0);
  }

  private byte[] privateData() {
    return IwarpRequest.checked(wanted.privateData());
  }
}
