package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The features of one controller (NVMe Base 2.0, 5.15 and 5.27); belongs to its loop. */
final class Features {
  private static final int SELECT_CURRENT = 0;
  private static final int SELECT_CAPABILITIES = 3;
  private static final int SAVE = 1 << 31;
  private static final int ALL_SENSORS = 0xf;
  /** The temperature over which a host wants to know: none, so long as it does not say. */
  private static final int NO_TEMPERATURE = 0xffff;

  private final Controller controller;
  private final Timestamp timestamp;
  private int arbitration;
  private int over;
  private int under;
  private int writeAtomicity;
  private byte[] hostBehavior = {};

  Features(Controller controller) {
    this.controller = controller;
    this.timestamp = new Timestamp(controller.clock());
    reset();
  }

  /** Everything has its default again: the controller has been reset. */
  void reset() {
    arbitration = 0;
    over = NO_TEMPERATURE;
    under = 0;
    writeAtomicity = 0;
    hostBehavior = new byte[Feature.HOST_BEHAVIOR.dataBytes];
    timestamp.reset();
    controller.events().enable(controller.events().supported());
    controller.allotQueues(most());
  }

  int decodeGet(Command c) {
    Feature feature = Feature.of(c.cdw10 & 0xff, controller.isDiscovery());
    int select = select(c);
    if (feature == null || select > SELECT_CAPABILITIES) {
      return invalid();
    }
    if (select == SELECT_CAPABILITIES || feature.dataBytes == 0) {
      return NvmeStatus.SUCCESS;
    }
    // Fabrics knows 128-bit host identifiers only.
    return feature == Feature.HOST_ID && (c.cdw11 & 1) == 0
        ? invalid()
        : c.expect(Command.Direction.TO_HOST, feature.dataBytes);
  }

  int get(Command c) {
    Feature feature = feature(c);
    if (select(c) == SELECT_CAPABILITIES) {
      c.result = feature.capabilities();
      return NvmeStatus.SUCCESS;
    }
    boolean current = select(c) == SELECT_CURRENT;
    if (feature == Feature.TEMPERATURE) {
      return getTemperature(c, current);
    }
    if (feature == Feature.WRITE_PROTECT) {
      return controller.writeProtection().get(c, current);
    }
    if (feature.dataBytes > 0) {
      copyData(feature, current, c.memory());
      return NvmeStatus.SUCCESS;
    }
    c.result = (current ? value(feature) : defaultValue(feature)) & 0xffff_ffffL;
    return NvmeStatus.SUCCESS;
  }

  private int value(Feature feature) {
    return switch (feature) {
      case ARBITRATION -> arbitration;
      case QUEUES -> (controller.allottedQueues() - 1) * 0x1_0001;
      case WRITE_ATOMICITY -> writeAtomicity;
      case EVENTS -> controller.events().enabled();
      case KEEP_ALIVE -> (int) controller.keepAlive().timeOutMs();
      case WRITE_CACHE -> 1;
      case POWER, ERROR_RECOVERY, TEMPERATURE, TIMESTAMP, HOST_BEHAVIOR, HOST_ID, WRITE_PROTECT -> 0;
    };
  }

  private int defaultValue(Feature feature) {
    return switch (feature) {
      case QUEUES -> (most() - 1) * 0x1_0001;
      case EVENTS -> controller.events().supported();
      case WRITE_CACHE -> 1;
      case ARBITRATION, WRITE_ATOMICITY, KEEP_ALIVE, POWER, ERROR_RECOVERY, TEMPERATURE, TIMESTAMP, HOST_BEHAVIOR,
          HOST_ID, WRITE_PROTECT ->
        0;
    };
  }

  private void copyData(Feature feature, boolean current, MemorySegment into) {
    into.asSlice(0, feature.dataBytes).fill((byte) 0);
    if (feature == Feature.HOST_ID) {
      MemorySegment.copy(controller.hostId(), 0, into, ValueLayout.JAVA_BYTE, 0, feature.dataBytes);
    } else if (feature == Feature.HOST_BEHAVIOR && current) {
      MemorySegment.copy(hostBehavior, 0, into, ValueLayout.JAVA_BYTE, 0, feature.dataBytes);
    } else if (feature == Feature.TIMESTAMP && current) {
      into.set(Layouts.LE64, 0, timestamp.value());
    }
  }

  int decodeSet(Command c) {
    Feature feature = Feature.of(c.cdw10 & 0xff, controller.isDiscovery());
    if (feature == null) {
      return invalid();
    }
    if ((c.cdw10 & SAVE) != 0) {
      return NvmeStatus.FEATURE_NOT_SAVEABLE | NvmeStatus.DNR;
    }
    return feature.dataBytes > 0 && feature.changeable()
        ? c.expect(Command.Direction.TO_CONTROLLER, feature.dataBytes)
        : NvmeStatus.SUCCESS;
  }

  /** Set Features; ends the command, now or later. */
  void set(Command c) {
    if (feature(c) == Feature.WRITE_PROTECT) {
      controller.writeProtection().set(c);
    } else {
      controller.adminQueue().finish(c, setNow(c));
    }
  }

  private int setNow(Command c) {
    return switch (feature(c)) {
      case ARBITRATION -> {
        arbitration = c.cdw11;
        yield NvmeStatus.SUCCESS;
      }
      // There is one power state.
      case POWER -> (c.cdw11 & 0x1f) == 0 ? NvmeStatus.SUCCESS : invalid();
      case TEMPERATURE -> setTemperature(c);
      case ERROR_RECOVERY -> same(c.cdw11 == 0);
      case WRITE_CACHE -> same((c.cdw11 & 1) == 1);
      case QUEUES -> setQueues(c);
      case WRITE_ATOMICITY -> {
        writeAtomicity = c.cdw11 & 1;
        yield NvmeStatus.SUCCESS;
      }
      case EVENTS -> setEvents(c);
      case TIMESTAMP -> {
        timestamp.set(c.memory().get(Layouts.LE64, 0));
        yield NvmeStatus.SUCCESS;
      }
      case KEEP_ALIVE -> {
        controller.keepAlive().timeOutMs(c.cdw11 & 0xffff_ffffL);
        yield NvmeStatus.SUCCESS;
      }
      case HOST_BEHAVIOR -> setHostBehavior(c);
      // Connect has set it.
      case HOST_ID -> NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR;
      case WRITE_PROTECT -> throw new AssertionError(c);
    };
  }

  /** What cannot change may be set to what it is. */
  private static int same(boolean itIs) {
    return itIs ? NvmeStatus.SUCCESS : NvmeStatus.FEATURE_NOT_CHANGEABLE | NvmeStatus.DNR;
  }

  private int getTemperature(Command c, boolean current) {
    if ((c.cdw11 >> 16 & 0xf) != 0) {
      return invalid();
    }
    return switch (c.cdw11 >> 20 & 3) {
      case 0 -> {
        c.result = current ? over : NO_TEMPERATURE;
        yield NvmeStatus.SUCCESS;
      }
      case 1 -> {
        c.result = current ? under : 0;
        yield NvmeStatus.SUCCESS;
      }
      default -> invalid();
    };
  }

  /** There is the composite temperature, which never changes, and no other sensor. */
  private int setTemperature(Command c) {
    int sensor = c.cdw11 >> 16 & 0xf;
    int kind = c.cdw11 >> 20 & 3;
    if ((sensor != 0 && sensor != ALL_SENSORS) || kind > 1) {
      return invalid();
    }
    if (kind == 0) {
      over = c.cdw11 & 0xffff;
    } else {
      under = c.cdw11 & 0xffff;
    }
    return NvmeStatus.SUCCESS;
  }

  private int setQueues(Command c) {
    int submission = c.cdw11 & 0xffff;
    int completion = c.cdw11 >>> 16;
    if (submission == 0xffff || completion == 0xffff) {
      return invalid();
    }
    if (controller.hasIoQueues()) {
      return NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR;
    }
    // A queue of fabrics is both in one.
    int allotted = Math.min(Math.max(submission, completion) + 1, most());
    controller.allotQueues(allotted);
    c.result = (allotted - 1) * 0x1_0001L;
    return NvmeStatus.SUCCESS;
  }

  private int setEvents(Command c) {
    if ((c.cdw11 & ~controller.events().supported()) != 0) {
      return invalid();
    }
    controller.events().enable(c.cdw11);
    return NvmeStatus.SUCCESS;
  }

  /** Advanced retry, extended telemetry, other formats: yes or no each; nothing here depends on them. */
  private int setHostBehavior(Command c) {
    byte[] wanted = c.memory().asSlice(0, Feature.HOST_BEHAVIOR.dataBytes).toArray(ValueLayout.JAVA_BYTE);
    for (int i = 0; i < 3; i++) {
      if ((wanted[i] & 0xff) > 1) {
        return invalid();
      }
    }
    hostBehavior = wanted;
    return NvmeStatus.SUCCESS;
  }

  private int most() {
    return controller.subsystem().target().config().ioQueues();
  }

  private Feature feature(Command c) {
    Feature feature = Feature.of(c.cdw10 & 0xff, controller.isDiscovery());
    if (feature == null) {
      throw new IllegalStateException("decoded: " + c);
    }
    return feature;
  }

  private static int select(Command c) {
    return c.cdw10 >> 8 & 7;
  }

  private static int invalid() {
    return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
  }
}
