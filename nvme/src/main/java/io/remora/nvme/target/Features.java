package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The features of one controller (NVMe Base 2.0, 5.27); belongs to its loop. */
final class Features {
  private static final int ARBITRATION = 0x01;
  private static final int POWER = 0x02;
  private static final int TEMPERATURE = 0x04;
  private static final int ERROR_RECOVERY = 0x05;
  private static final int WRITE_CACHE = 0x06;
  private static final int QUEUES = 0x07;
  private static final int WRITE_ATOMICITY = 0x0A;
  private static final int EVENTS = 0x0B;
  private static final int KEEP_ALIVE = 0x0F;
  private static final int HOST_ID = 0x81;

  private static final int SAVE = 1 << 31;
  private static final int HOST_ID_BYTES = 16;

  private final Controller controller;
  private int arbitration;
  private int temperature;
  private int writeAtomicity;

  Features(Controller controller) {
    this.controller = controller;
  }

  int decodeGet(Command c) {
    if ((c.cdw10 & 0xff) != HOST_ID) {
      return NvmeStatus.SUCCESS;
    }
    return (c.cdw11 & 1) == 0
        ? NvmeStatus.INVALID_FIELD | NvmeStatus.DNR
        : c.expect(Command.Direction.TO_HOST, HOST_ID_BYTES);
  }

  int get(Command c) {
    int queues = controller.subsystem().target().config().ioQueues() - 1;
    int value;
    switch (c.cdw10 & 0xff) {
      case ARBITRATION -> value = arbitration;
      case POWER, ERROR_RECOVERY -> value = 0;
      case TEMPERATURE -> value = temperature;
      case WRITE_CACHE -> value = 1;
      case QUEUES -> value = queues << 16 | queues;
      case WRITE_ATOMICITY -> value = writeAtomicity;
      case EVENTS -> value = controller.events().enabled();
      case KEEP_ALIVE -> value = (int) controller.keepAlive().timeOutMs();
      case HOST_ID -> {
        MemorySegment.copy(controller.hostId(), 0, c.memory(), ValueLayout.JAVA_BYTE, 0, HOST_ID_BYTES);
        value = 0;
      }
      default -> {
        return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
      }
    }
    c.result = value & 0xffff_ffffL;
    return NvmeStatus.SUCCESS;
  }

  int set(Command c) {
    if ((c.cdw10 & SAVE) != 0) {
      return NvmeStatus.FEATURE_NOT_SAVEABLE | NvmeStatus.DNR;
    }
    switch (c.cdw10 & 0xff) {
      case ARBITRATION -> arbitration = c.cdw11;
      case TEMPERATURE -> temperature = c.cdw11 & 0xffff;
      case WRITE_ATOMICITY -> writeAtomicity = c.cdw11 & 1;
      case EVENTS -> controller.events().enable(c.cdw11);
      case KEEP_ALIVE -> controller.keepAlive().timeOutMs(c.cdw11 & 0xffff_ffffL);
      case QUEUES -> {
        return queues(c);
      }
      case POWER -> {
        return (c.cdw11 & 0x1f) == 0 ? NvmeStatus.SUCCESS : NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
      }
      case WRITE_CACHE -> {
        return (c.cdw11 & 1) == 1 ? NvmeStatus.SUCCESS : NvmeStatus.FEATURE_NOT_CHANGEABLE | NvmeStatus.DNR;
      }
      case ERROR_RECOVERY -> {
        return c.cdw11 == 0 ? NvmeStatus.SUCCESS : NvmeStatus.FEATURE_NOT_CHANGEABLE | NvmeStatus.DNR;
      }
      case HOST_ID -> {
        // Connect has set it.
        return NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR;
      }
      default -> {
        return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
      }
    }
    return NvmeStatus.SUCCESS;
  }

  private int queues(Command c) {
    int submission = c.cdw11 & 0xffff;
    int completion = c.cdw11 >>> 16;
    if (submission == 0xffff || completion == 0xffff) {
      return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
    }
    int most = controller.subsystem().target().config().ioQueues() - 1;
    c.result = Math.min(submission, most) | (long) Math.min(completion, most) << 16;
    return NvmeStatus.SUCCESS;
  }
}
