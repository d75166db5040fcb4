package io.remora.nvme.target;

import io.remora.base.IoRequest;
import io.remora.nvme.NvmeStatus;
import org.jspecify.annotations.Nullable;

/**
 * Write protection of namespaces, as hosts set it (NVMe Base 2.0, 8.12): no protection, or protected until a host takes that back.
 * Belongs to the loop of the controller whose host it is.
 *
 * <p>When the host is answered, every write that had begun has ended and is durable, every later one is refused, on every path, and so
 * will be those in the target's next life ({@link KeptProtection}).
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
    if (namespace.gate().writeProtected() == wanted) {
      end(c, namespace, false, NvmeStatus.SUCCESS);
    } else if (!wanted) {
      keep(c, namespace, false);
    } else {
      namespace.gate().protect(true);
      NamespaceChannel channel = queue.context().table(subsystem).lookup(c.nsid);
      if (channel != null && channel.namespace == namespace) {
        channel.begin();
        c.namespace = channel;
        c.request.prepare(IoRequest.Op.FLUSH, 0, 0);
        channel.channel.submit(c.request);
      } else {
        // Removed since, or not to be opened on this loop: nothing can be made durable here.
        stays(c, namespace, NvmeStatus.NAMESPACE_NOT_READY);
      }
    }
  }

  /** What was written is durable, or could not be made so: then it is not protected either. */
  void flushed(Command c) {
    NamespaceChannel channel = IoCommands.namespace(c);
    Namespace namespace = channel.namespace;
    int status = c.deviceStatus(true);
    channel.end();
    if (status == NvmeStatus.SUCCESS) {
      keep(c, namespace, true);
    } else {
      stays(c, namespace, status);
    }
  }

  /** Answers no sooner than the next life of the namespace would know. */
  private void keep(Command c, Namespace namespace, boolean on) {
    namespace.keeper().keep(on).whenComplete(
        (kept, failure) -> queue.context().loop().execute(() -> {
          if (failure == null) {
            namespace.gate().protect(on);
            end(c, namespace, true, NvmeStatus.SUCCESS);
          } else {
            stays(c, namespace, NvmeStatus.INTERNAL_ERROR);
          }
        }));
  }

  /** It could not be changed. */
  private void stays(Command c, Namespace namespace, int status) {
    boolean wanted = (c.cdw11 & STATE) == PROTECTED;
    namespace.gate().protect(!wanted);
    end(c, namespace, false, status);
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
