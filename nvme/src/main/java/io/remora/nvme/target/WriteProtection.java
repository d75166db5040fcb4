package io.remora.nvme.target;

import io.remora.base.IoRequest;
import io.remora.nvme.NvmeStatus;
import org.jspecify.annotations.Nullable;

/**
 * Write protection of namespaces, as hosts set it (NVMe Base 2.0, 8.12): no protection, or protected until a host takes that back.
 * Belongs to the loop of the controller whose host it is.
 *
 * <p>When the host is answered, every write that had begun has ended and is durable, and every later one is refused, on every path.
 */
final class WriteProtection {
  private static final int STATE = 7;
  private static final int PROTECTED = 1;

  private final QueuePair queue;
  private final Subsystem subsystem;

  WriteProtection(QueuePair queue, Subsystem subsystem) {
    this.queue = queue;
    this.subsystem = subsystem;
  }

  /** Get Features. */
  int get(Command c, boolean current) {
    Namespace namespace = namespace(c);
    if (namespace == null) {
      return NvmeStatus.INVALID_NAMESPACE | NvmeStatus.DNR;
    }
    c.result = current && namespace.writeProtected() ? PROTECTED : 0;
    return NvmeStatus.SUCCESS;
  }

  /** Set Features; ends the command, now or later. */
  void set(Command c) {
    Namespace namespace = namespace(c);
    if (namespace == null) {
      queue.finish(c, NvmeStatus.INVALID_NAMESPACE | NvmeStatus.DNR);
    } else if ((c.cdw11 & STATE) > PROTECTED) {
      queue.finish(c, NvmeStatus.INVALID_FIELD | NvmeStatus.DNR);
    } else if (namespace.device().readOnly() && (c.cdw11 & STATE) != PROTECTED) {
      queue.finish(c, NvmeStatus.FEATURE_NOT_CHANGEABLE | NvmeStatus.DNR);
    } else {
      RangeClaim claim = RangeClaim.ofAll(queue.context().loop(), () -> granted(c, namespace));
      c.claim = claim;
      namespace.gate().claim(subsystem.target(), namespace, claim);
    }
  }

  /** No write is under way. */
  private void granted(Command c, Namespace namespace) {
    boolean wanted = (c.cdw11 & STATE) == PROTECTED;
    boolean changed = namespace.gate().writeProtected() != wanted;
    namespace.gate().protect(wanted);
    NamespaceChannel channel = queue.context().table(subsystem).lookup(c.nsid);
    if (changed && wanted && channel != null && channel.namespace == namespace) {
      channel.begin();
      c.namespace = channel;
      c.request.prepare(IoRequest.Op.FLUSH, 0, 0);
      channel.channel.submit(c.request);
    } else {
      end(c, namespace, changed, NvmeStatus.SUCCESS);
    }
  }

  /** What was written is durable, or could not be made so: then it is not protected either. */
  void flushed(Command c) {
    NamespaceChannel channel = IoCommands.namespace(c);
    int status = c.deviceStatus(true);
    if (status != NvmeStatus.SUCCESS) {
      channel.gate.protect(false);
    }
    channel.end();
    end(c, channel.namespace, status == NvmeStatus.SUCCESS, status);
  }

  private void end(Command c, Namespace namespace, boolean changed, int status) {
    RangeClaim claim = c.claim;
    c.claim = null;
    if (claim != null) {
      namespace.gate().release(subsystem.target(), namespace, claim);
    }
    if (changed) {
      subsystem.tellNamespaceChanged(namespace.id());
    }
    queue.finish(c, status);
  }

  private @Nullable Namespace namespace(Command c) {
    return subsystem.now().namespaces().get(c.nsid);
  }
}
