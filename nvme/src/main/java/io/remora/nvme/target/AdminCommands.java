package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The admin commands of an I/O controller (NVMe Base 2.0, 5); belongs to the controller's loop. */
final class AdminCommands implements CommandSet {
  private static final int ALL_NAMESPACES = 0xffff_ffff;
  private static final int HIGHEST_NAMESPACE_ID = 0xffff_fffd;

  /** The most Abort commands that may be under way. */
  static final int MAX_ABORTS = 4;

  private final QueuePair queue;
  private final Controller controller;
  private int aborts;

  AdminCommands(QueuePair queue, Controller controller) {
    this.queue = queue;
    this.controller = controller;
  }

  @Override
  public int decode(Command c) {
    if (!controller.properties().ready()) {
      return NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR;
    }
    return switch (c.opcode) {
      case Opcode.IDENTIFY -> c.expect(Command.Direction.TO_HOST, IdentifyData.BYTES);
      case Opcode.GET_LOG_PAGE -> (c.cdw10 & 0xff) == LogPages.SMART && counts(c) == null
          ? NvmeStatus.INVALID_NAMESPACE | NvmeStatus.DNR
          : LogCommand.decode(c);
      case Opcode.GET_FEATURES -> controller.features().decodeGet(c);
      case Opcode.SET_FEATURES -> controller.features().decodeSet(c);
      case Opcode.ABORT, Opcode.ASYNC_EVENT_REQUEST, Opcode.KEEP_ALIVE -> NvmeStatus.SUCCESS;
      default -> NvmeStatus.INVALID_OPCODE | NvmeStatus.DNR;
    };
  }

  @Override
  public void execute(Command c) {
    switch (c.opcode) {
      case Opcode.IDENTIFY -> {
        MemorySegment data = c.memory().asSlice(0, IdentifyData.BYTES);
        data.fill((byte) 0);
        queue.finish(c, identify(c, data));
      }
      case Opcode.GET_LOG_PAGE -> queue.finish(c, LogCommand.copy(c, page(c), controller));
      case Opcode.GET_FEATURES -> queue.finish(c, controller.features().get(c));
      case Opcode.SET_FEATURES -> controller.features().set(c);
      case Opcode.ABORT -> abort(c);
      case Opcode.ASYNC_EVENT_REQUEST -> controller.events().request(c);
      case Opcode.KEEP_ALIVE -> {
        controller.keepAlive().touch();
        queue.finish(c, NvmeStatus.SUCCESS);
      }
      default -> throw new AssertionError(c);
    }
  }

  @Override
  public void completed(Command c) {
    controller.writeProtection().flushed(c);
  }

  private int identify(Command c, MemorySegment data) {
    int set = c.cdw11 >>> 24;
    return switch (c.cdw10 & 0xff) {
      case 0x00 -> identifyNamespace(c, data, false);
      case 0x01 -> {
        IdentifyData.controller(data, controller);
        yield NvmeStatus.SUCCESS;
      }
      case 0x02 -> activeNamespaces(c, data);
      case 0x03 -> {
        Namespace namespace = namespace(c);
        if (namespace == null) {
          yield NvmeStatus.INVALID_NAMESPACE | NvmeStatus.DNR;
        }
        IdentifyData.descriptors(data, namespace);
        yield NvmeStatus.SUCCESS;
      }
      // What the NVM command set adds: nothing that is not zero.
      case 0x05 -> set != 0
          ? invalid()
          : namespace(c) == null
              ? NvmeStatus.INVALID_NAMESPACE | NvmeStatus.DNR
              : NvmeStatus.SUCCESS;
      case 0x06 -> set != 0 ? invalid() : NvmeStatus.SUCCESS;
      case 0x07 -> set != 0 ? invalid() : activeNamespaces(c, data);
      case 0x08 -> identifyNamespace(c, data, true);
      case 0x12 -> {
        if (namespace(c) == null) {
          yield NvmeStatus.INVALID_NAMESPACE | NvmeStatus.DNR;
        }
        IdentifyData.controllers(data, controller.subsystem().controllerIds(), c.cdw10 >>> 16);
        yield NvmeStatus.SUCCESS;
      }
      case 0x13 -> {
        IdentifyData.controllers(data, controller.subsystem().controllerIds(), c.cdw10 >>> 16);
        yield NvmeStatus.SUCCESS;
      }
      case 0x1C -> {
        // One combination of command sets: NVM.
        data.set(Layouts.LE64, 0, 1);
        yield NvmeStatus.SUCCESS;
      }
      default -> invalid();
    };
  }

  private static int invalid() {
    return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
  }

  /** A namespace that is not there reads as zeros if its number is a possible one: it is inactive. */
  private int identifyNamespace(Command c, MemorySegment data, boolean ofAnySet) {
    Namespace namespace = namespace(c);
    if (namespace == null) {
      return c.nsid >= 1 && c.nsid <= Namespace.MAX_ID
          ? NvmeStatus.SUCCESS
          : NvmeStatus.INVALID_NAMESPACE | NvmeStatus.DNR;
    }
    if (ofAnySet) {
      IdentifyData.namespaceOfAnySet(data, namespace);
    } else {
      IdentifyData.namespace(data, namespace, queue.maxTransferBytes());
    }
    return NvmeStatus.SUCCESS;
  }

  private int activeNamespaces(Command c, MemorySegment data) {
    if (Integer.compareUnsigned(c.nsid, HIGHEST_NAMESPACE_ID) > 0) {
      return NvmeStatus.INVALID_NAMESPACE | NvmeStatus.DNR;
    }
    if (c.nsid >= 0) {
      IdentifyData.activeNamespaces(data, view(), c.nsid);
    }
    return NvmeStatus.SUCCESS;
  }

  private @Nullable MemorySegment page(Command c) {
    boolean keep = (c.cdw10 & LogCommand.RETAIN_EVENT) != 0;
    return switch (c.cdw10 & 0xff) {
      case LogPages.SUPPORTED_LOGS -> EffectsLogs.logs(false);
      case LogPages.ERRORS -> controller.errors().page();
      case LogPages.SMART -> smart(c);
      case LogPages.FIRMWARE -> LogPages.firmware(IdentifyData.FIRMWARE);
      case LogPages.CHANGED_NAMESPACES -> LogPages.changedNamespaces(controller.changedNamespaces(), !keep);
      case LogPages.EFFECTS -> EffectsLogs.commands(c.cdw14 >>> 24);
      case LogPages.ANA -> LogPages.ana(view(), (c.cdw10 & 1 << 8) != 0);
      case LogPages.FEATURES -> EffectsLogs.features();
      case LogPages.MANAGEMENT -> EffectsLogs.management();
      default -> null;
    };
  }

  private @Nullable MemorySegment smart(Command c) {
    IoCounts counts = counts(c);
    return counts == null ? null : LogPages.smart(counts, controller.errors().count(), controller.ageMs());
  }

  private @Nullable IoCounts counts(Command c) {
    if (c.nsid == ALL_NAMESPACES || c.nsid == 0) {
      IoCounts sum = IoCounts.NONE;
      for (Namespace namespace : view().namespaces().values()) {
        sum = sum.plus(namespace.counts());
      }
      return sum;
    }
    Namespace namespace = namespace(c);
    return namespace == null ? null : namespace.counts();
  }

  private void abort(Command c) {
    int cid = c.cdw10 >>> 16;
    int qid = c.cdw10 & 0xffff;
    if (aborts == MAX_ABORTS) {
      queue.finish(c, NvmeStatus.ABORT_LIMIT_EXCEEDED);
      return;
    }
    aborts++;
    QueuePair other = controller.ioQueue(qid);
    if (qid == 0) {
      aborted(c, controller.events().abort(cid) || queue.abort(cid));
    } else if (other == null) {
      aborted(c, false);
    } else {
      other.context().loop().execute(() -> {
        boolean stopped = other.abort(cid);
        controller.post(() -> aborted(c, stopped));
      });
    }
  }

  private void aborted(Command c, boolean stopped) {
    aborts--;
    c.result = stopped ? 0 : 1;
    queue.finish(c, NvmeStatus.SUCCESS);
  }

  private Subsystem.View view() {
    return controller.subsystem().now();
  }

  private @Nullable Namespace namespace(Command c) {
    return view().namespaces().get(c.nsid);
  }
}
