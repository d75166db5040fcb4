package io.remora.nvme.target;

import io.remora.base.IoRequest;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import org.jspecify.annotations.Nullable;

/**
 * Compare and write as one (NVMe Base 2.0, 6.2; NVM Command Set 1.0, 3.1): pairs the fused commands of one queue, waits for the data of
 * both, and carries them out while no other write reaches their range. Belongs to the queue's loop.
 *
 * <p>The half that is ready first is held. Invariant: a command has a partner from the arrival of the second half until both have ended.
 */
final class FusedPairs {
  /** FUSE of the first and of the second command. */
  static final int FIRST = 1;
  static final int SECOND = 2;
  /** The field. */
  static final int MASK = 3;
  /** The most blocks of a pair: ACWU and one. */
  static final int MAX_BLOCKS = 128;

  private final QueuePair queue;
  /** The first half that came last, so long as nothing has come behind it. */
  private @Nullable Command first;
  private boolean firstFailed;

  FusedPairs(QueuePair queue) {
    this.queue = queue;
  }

  /** Whether the next command must be shown to {@link #arrived}, whatever it is. */
  boolean expecting() {
    return first != null || firstFailed;
  }

  /**
   * A command has come, in the order of the queue; {@code status} is what is wrong with it.
   *
   * @return with what it goes on or ends; nothing is done yet
   */
  int arrived(Command c, int status) {
    Command before = first;
    boolean failed = firstFailed;
    first = null;
    firstFailed = false;
    int fuse = c.flags & MASK;
    if (fuse == SECOND && before != null) {
      return pair(before, c, status);
    }
    if (before != null) {
      conclude(before, NvmeStatus.MISSING_FUSED_COMMAND | NvmeStatus.DNR);
    }
    if (fuse == SECOND) {
      return (failed ? NvmeStatus.FAILED_FUSED_COMMAND : NvmeStatus.MISSING_FUSED_COMMAND) | NvmeStatus.DNR;
    }
    if (fuse == FIRST) {
      firstFailed = status != NvmeStatus.SUCCESS;
      first = firstFailed ? null : c;
    }
    return status;
  }

  private int pair(Command before, Command c, int status) {
    if (status != NvmeStatus.SUCCESS) {
      conclude(before, NvmeStatus.FAILED_FUSED_COMMAND | NvmeStatus.DNR);
      return status;
    }
    if (before.nsid != c.nsid || before.namespace != c.namespace || before.request.offset != c.request.offset
        || before.request.length != c.request.length) {
      conclude(before, NvmeStatus.INVALID_FIELD | NvmeStatus.DNR);
      return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
    }
    before.partner = c;
    c.partner = before;
    return NvmeStatus.SUCCESS;
  }

  /** What the entry alone says against a fused command of this kind. */
  static int check(Command c, NamespaceChannel namespace) {
    boolean known = switch (c.flags & MASK) {
      case FIRST -> c.opcode == Opcode.COMPARE;
      case SECOND -> c.opcode == Opcode.WRITE;
      default -> false;
    };
    if (!known) {
      return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
    }
    return c.request.length > (long) MAX_BLOCKS << namespace.blockShift
        ? NvmeStatus.ATOMIC_WRITE_UNIT_EXCEEDED | NvmeStatus.DNR
        : NvmeStatus.SUCCESS;
  }

  /** The data of {@code c} is in its place. */
  void ready(Command c) {
    if (c.concluded != NvmeStatus.SUCCESS) {
      queue.finish(c, c.concluded);
      return;
    }
    Command other = c.partner;
    if (other == null || other.state != Command.State.HELD) {
      queue.hold(c);
      return;
    }
    queue.unhold(other);
    boolean isFirst = (c.flags & MASK) == FIRST;
    begin(isFirst ? c : other, isFirst ? other : c);
  }

  /** {@code c}, whose data was to come, ends with {@code status}; so its other half, which may not be there yet, fails too. */
  void fail(Command c, int status) {
    Command other = c.partner;
    c.partner = null;
    if (other != null) {
      other.partner = null;
      conclude(other, NvmeStatus.FAILED_FUSED_COMMAND | NvmeStatus.DNR);
    } else if (first == c) {
      first = null;
      firstFailed = true;
    }
    queue.finish(c, c.concluded == NvmeStatus.SUCCESS ? status : c.concluded);
  }

  /** {@code c} ends with {@code status}: now, or when its data has come. */
  private void conclude(Command c, int status) {
    if (c.state == Command.State.HELD) {
      queue.unhold(c);
      queue.finish(c, status);
    } else {
      c.concluded = status;
    }
  }

  private void begin(Command compare, Command write) {
    NamespaceChannel namespace = IoCommands.namespace(compare);
    namespace.begin();
    Target target = queue.context().target();
    compare.claim = new RangeClaim(compare.request.offset, compare.request.length, queue.context().loop(),
        () -> granted(compare, write));
    namespace.gate.claim(target, namespace.namespace, compare.claim);
  }

  private void granted(Command compare, Command write) {
    NamespaceChannel namespace = IoCommands.namespace(compare);
    if (queue.isClosed()) {
      end(compare, write, NvmeStatus.ABORT_REQUESTED, NvmeStatus.ABORT_REQUESTED);
    } else if (namespace.gate.writeProtected()) {
      int status = NvmeStatus.NAMESPACE_WRITE_PROTECTED | NvmeStatus.DNR;
      end(compare, write, NvmeStatus.FAILED_FUSED_COMMAND | NvmeStatus.DNR, status);
    } else {
      namespace.channel.submit(compare.request);
    }
  }

  /** The device has done one half. */
  void completed(Command c, Command partner) {
    NamespaceChannel namespace = IoCommands.namespace(c);
    if (c.request.op == IoRequest.Op.COMPARE) {
      int status = c.deviceStatus(false);
      if (status == NvmeStatus.SUCCESS) {
        namespace.channel.submit(partner.request);
      } else {
        end(c, partner, status, NvmeStatus.FAILED_FUSED_COMMAND | NvmeStatus.DNR);
      }
    } else {
      int status = c.deviceStatus(true);
      if (status == NvmeStatus.SUCCESS) {
        namespace.counters.written(c.dataBytes);
      }
      end(partner, c, NvmeStatus.SUCCESS, status);
    }
  }

  private void end(Command compare, Command write, int compareStatus, int writeStatus) {
    NamespaceChannel namespace = IoCommands.namespace(compare);
    RangeClaim claim = compare.claim;
    compare.claim = null;
    if (claim != null) {
      namespace.gate.release(queue.context().target(), namespace.namespace, claim);
    }
    namespace.end();
    queue.finish(compare, compareStatus);
    queue.finish(write, writeStatus);
  }
}
