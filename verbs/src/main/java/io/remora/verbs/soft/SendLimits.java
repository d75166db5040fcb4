package io.remora.verbs.soft;

import io.remora.verbs.Access;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.SendRequest;

/** What may be posted to the send queue of one queue pair: what its type, its device and its configuration allow. Immutable; belongs to its queue pair's loop. */
final class SendLimits {
  private final SoftQueuePair queuePair;
  private final SoftProtectionDomain domain;
  private final boolean[] carried = new boolean[SendOpcode.SEND_WITH_INVALIDATE.code() + 1];
  private final boolean datagrams;
  private final int maxPieces;
  private final int maxReadPieces;
  private final int maxInlineBytes;
  private final long maxBytes;

  SendLimits(SoftQueuePair queuePair, SoftProtectionDomain domain, QueuePairConfig config) {
    DeviceAttributes device = domain.context().attributes();
    this.queuePair = queuePair;
    this.domain = domain;
    for (SendOpcode opcode : SendOpcode.values()) {
      carried[opcode.code()] = config.type().carries(opcode) && device.can(opcode.capability(config.type()));
    }
    this.datagrams = config.type() == QueuePairType.UD;
    this.maxPieces = config.maxPieces();
    this.maxReadPieces = Math.min(device.maxReadPieces(), config.maxPieces());
    this.maxInlineBytes = config.maxInlineBytes();
    this.maxBytes = datagrams ? device.maxDatagramBytes() : device.maxMessageBytes();
  }

  /** Whether this type of queue pair and the device have the operation. */
  boolean carries(SendOpcode opcode) {
    return carried[opcode.code()];
  }

  /** Whether {@code r}, whose operation is carried, keeps the bounds and names memory that it may. */
  boolean allows(SendRequest r) {
    SendOpcode opcode = r.opcode();
    if (opcode == SendOpcode.LOCAL_INVALIDATE) {
      return true;
    }
    if (opcode == SendOpcode.BIND_WINDOW) {
      return r.window() instanceof SoftMemoryWindow window && r.bound() instanceof SoftMemoryRegion region
          && SoftMemoryWindow.bindable(queuePair, window, region, r.bindKey(), r.bindOffset(), r.bindLength(),
              r.bindAccess());
    }
    boolean brings = opcode.brings();
    if (r.pieces() > (brings ? maxReadPieces : maxPieces) || r.totalBytes() > maxBytes
        || (opcode.isAtomic() && r.totalBytes() != 8)
        || (r.isInline() && (brings || r.totalBytes() > maxInlineBytes))
        || (datagrams && r.destination() == null)) {
      return false;
    }
    return domain.permits(r, brings ? Access.LOCAL_WRITE : 0);
  }
}
