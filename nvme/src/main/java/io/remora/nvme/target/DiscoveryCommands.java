package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The admin commands of a discovery controller (NVMe-oF 1.1, 1.5.4); belongs to the controller's loop. */
final class DiscoveryCommands implements CommandSet {
  private final QueuePair queue;
  private final Controller controller;
  /** The page as it was when its beginning was read last: what is read in pieces fits together. */
  private @Nullable MemorySegment page;

  DiscoveryCommands(QueuePair queue, Controller controller) {
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
      case Opcode.GET_LOG_PAGE -> LogCommand.decode(c);
      case Opcode.GET_FEATURES -> controller.features().decodeGet(c);
      case Opcode.SET_FEATURES -> controller.features().decodeSet(c);
      case Opcode.ASYNC_EVENT_REQUEST, Opcode.KEEP_ALIVE -> NvmeStatus.SUCCESS;
      default -> NvmeStatus.INVALID_OPCODE | NvmeStatus.DNR;
    };
  }

  @Override
  public void execute(Command c) {
    switch (c.opcode) {
      case Opcode.IDENTIFY -> {
        MemorySegment data = c.memory().asSlice(0, IdentifyData.BYTES);
        data.fill((byte) 0);
        boolean known = (c.cdw10 & 0xff) == 0x01;
        if (known) {
          IdentifyData.controller(data, controller);
        }
        queue.finish(c, known ? NvmeStatus.SUCCESS : NvmeStatus.INVALID_FIELD | NvmeStatus.DNR);
      }
      case Opcode.GET_LOG_PAGE -> queue.finish(c, LogCommand.copy(c, page(c), controller));
      case Opcode.GET_FEATURES -> queue.finish(c, controller.features().get(c));
      case Opcode.SET_FEATURES -> controller.features().set(c);
      case Opcode.ASYNC_EVENT_REQUEST -> controller.events().request(c);
      case Opcode.KEEP_ALIVE -> {
        controller.keepAlive().touch();
        queue.finish(c, NvmeStatus.SUCCESS);
      }
      default -> throw new AssertionError(c);
    }
  }

  private @Nullable MemorySegment page(Command c) {
    if ((c.cdw10 & 0xff) == LogPages.SUPPORTED_LOGS) {
      return EffectsLogs.logs(true);
    }
    if ((c.cdw10 & 0xff) != LogPages.DISCOVERY) {
      return null;
    }
    MemorySegment now = page;
    if (now == null || LogCommand.offset(c) == 0) {
      now = LogPages.discovery(controller.subsystem().target(), controller.hostNqn(),
          queue.transport().localAddress());
      page = now;
    }
    return now;
  }
}
