package io.remora.nvme.target;

import io.remora.nvme.Nqn;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/** The fabrics commands of one queue pair (NVMe-oF 1.1, 3); belongs to its loop. */
final class FabricsCommands implements CommandSet {
  /** The length of the data of Connect, in bytes. */
  static final int CONNECT_BYTES = 1024;
  /** CNTLID of a host that wants a new controller. */
  static final int DYNAMIC = 0xffff;

  private static final int QID = 42;
  private static final int SQSIZE = 44;
  private static final int CNTLID = 16;
  private static final int SUBNQN = 256;
  private static final int HOSTNQN = 512;
  private static final int FROM_DATA = 1 << 16;
  private static final int DISABLE_SQ_FLOW_CONTROL = 1 << 2;
  private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED
      .withOrder(java.nio.ByteOrder.LITTLE_ENDIAN);

  private final QueuePair queue;

  FabricsCommands(QueuePair queue) {
    this.queue = queue;
  }

  @Override
  public int decode(Command c) {
    if (c.fctype() == Opcode.CONNECT) {
      return queue.isNew()
          ? c.expect(Command.Direction.TO_CONTROLLER, CONNECT_BYTES)
          : NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR;
    }
    if (!queue.live()) {
      return NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR;
    }
    boolean admin = queue.id() == 0;
    return switch (c.fctype()) {
      case Opcode.PROPERTY_GET, Opcode.PROPERTY_SET ->
        admin ? NvmeStatus.SUCCESS : NvmeStatus.INVALID_OPCODE | NvmeStatus.DNR;
      case Opcode.DISCONNECT -> admin ? NvmeStatus.INVALID_QUEUE_TYPE | NvmeStatus.DNR : NvmeStatus.SUCCESS;
      default -> NvmeStatus.INVALID_OPCODE | NvmeStatus.DNR;
    };
  }

  @Override
  public void execute(Command c) {
    switch (c.fctype()) {
      case Opcode.CONNECT -> connect(c);
      case Opcode.DISCONNECT -> {
        queue.finish(c, (c.cdw10 & 0xffff) == 0 ? NvmeStatus.SUCCESS : NvmeStatus.CONNECT_BAD_FORMAT | NvmeStatus.DNR);
        queue.terminate("the host disconnects the queue");
      }
      default -> property(c);
    }
  }

  private void property(Command c) {
    Controller controller = queue.controller();
    if (controller == null) {
      queue.finish(c, NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR);
      return;
    }
    boolean eightBytes = (c.cdw10 & 7) == 1;
    if (c.fctype() == Opcode.PROPERTY_GET) {
      int status = controller.properties().checkGet(c.cdw11, eightBytes);
      c.result = status == NvmeStatus.SUCCESS ? controller.properties().get(c.cdw11) : 0;
      queue.finish(c, status);
    } else {
      queue.finish(c, controller.properties().set(c.cdw11, eightBytes, c.cdw12));
    }
  }

  private void connect(Command c) {
    if (!queue.isNew()) {
      queue.finish(c, NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR);
      return;
    }
    queue.connecting();
    Transport.Limits limits = queue.transport().limits();
    int queueId = c.cdw10 >>> 16;
    int entries = (c.cdw11 & 0xffff) + 1;
    String subsystemNqn = Nqn.read(c.memory(), SUBNQN);
    Subsystem subsystem = subsystemNqn == null ? null : queue.context().target().subsystem(subsystemNqn);
    // Where every host may connect, its name is not asked for: SPDK's tools leave it empty.
    String hostNqn = Nqn.text(c.memory(), HOSTNQN);
    if ((c.cdw10 & 0xffff) != 0) {
      refuse(c, NvmeStatus.CONNECT_BAD_FORMAT, 0);
    } else if (entries < 2 || entries > limits.entries()) {
      refuse(c, NvmeStatus.CONNECT_INVALID_PARAMETERS, SQSIZE);
    } else if (limits.queueId() != Transport.Limits.ANY_QUEUE && limits.queueId() != queueId) {
      refuse(c, NvmeStatus.CONNECT_INVALID_PARAMETERS, QID);
    } else if (subsystem == null) {
      refuse(c, NvmeStatus.CONNECT_INVALID_PARAMETERS, FROM_DATA | SUBNQN);
    } else if (hostNqn == null) {
      refuse(c, NvmeStatus.CONNECT_INVALID_PARAMETERS, FROM_DATA | HOSTNQN);
    } else if (!subsystem.now().allows(hostNqn)) {
      refuse(c, NvmeStatus.CONNECT_INVALID_HOST, FROM_DATA | HOSTNQN);
    } else if (queueId == 0) {
      connectAdmin(c, subsystem, hostNqn, entries);
    } else {
      connectIo(c, subsystem, hostNqn, queueId, entries);
    }
  }

  private void connectAdmin(Command c, Subsystem subsystem, String hostNqn, int entries) {
    MemorySegment data = c.memory();
    if ((data.get(LE16, CNTLID) & 0xffff) != DYNAMIC) {
      refuse(c, NvmeStatus.CONNECT_INVALID_PARAMETERS, FROM_DATA | CNTLID);
      return;
    }
    byte[] hostId = data.asSlice(0, 16).toArray(ValueLayout.JAVA_BYTE);
    Controller controller = new Controller(subsystem, queue, hostNqn, hostId);
    if (!controller.enter()) {
      refuse(c, NvmeStatus.CONNECT_CONTROLLER_BUSY, 0);
      return;
    }
    queue.connect(controller, controller.adminCommands(), 0, entries, flowControl(c));
    controller.keepAlive().timeOutMs(c.cdw12 & 0xffff_ffffL);
    c.result = controller.id();
    queue.finish(c, NvmeStatus.SUCCESS);
    if (!subsystem.now().allows(hostNqn)) {
      controller.terminate("host " + hostNqn + " is not allowed any more");
    }
  }

  /** Asks the controller, which lives on its own loop, and comes back. */
  private void connectIo(Command c, Subsystem subsystem, String hostNqn, int qid, int entries) {
    Controller controller = subsystem.controller(c.memory().get(LE16, CNTLID) & 0xffff);
    if (controller == null || !controller.hostNqn().equals(hostNqn)
        || controller.adminQueue().transport().limits().type() != queue.transport().limits().type()) {
      refuse(c, NvmeStatus.CONNECT_INVALID_PARAMETERS, FROM_DATA | CNTLID);
      return;
    }
    controller.post(() -> {
      int status = controller.attach(qid, queue);
      queue.context().loop().execute(() -> connected(c, status == NvmeStatus.SUCCESS ? controller : null, status, qid,
          entries));
    });
  }

  private void connected(Command c, @Nullable Controller controller, int status, int qid, int entries) {
    if (controller == null) {
      refuse(c, status, status == NvmeStatus.CONNECT_INVALID_PARAMETERS ? QID : 0);
      return;
    }
    if (!queue.connect(controller, new IoCommands(queue, controller.subsystem()), qid, entries, flowControl(c))) {
      controller.post(() -> {
        controller.queueClosed(queue);
        controller.queueQuiet(queue);
      });
    }
    c.result = controller.id();
    queue.finish(c, NvmeStatus.SUCCESS);
  }

  private static boolean flowControl(Command c) {
    return (c.cdw11 >>> 16 & DISABLE_SQ_FLOW_CONTROL) == 0;
  }

  private void refuse(Command c, int status, int where) {
    queue.connectFailed();
    c.result = where;
    // Later there may be room.
    queue.finish(c, status == NvmeStatus.CONNECT_CONTROLLER_BUSY ? status : status | NvmeStatus.DNR);
  }
}
