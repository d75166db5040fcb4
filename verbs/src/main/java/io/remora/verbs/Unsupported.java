package io.remora.verbs;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Says what a queue pair lacks for an operation. Stateless. */
final class Unsupported {
  private Unsupported() {}

  /** For people; null when nothing is lacking. */
  static @Nullable String text(QueuePair queuePair, SendOpcode opcode) {
    QueuePairType type = queuePair.type();
    DeviceAttributes device = queuePair.protectionDomain().context().attributes();
    String refusal = "provider " + device.provider() + ", device " + device.name() + ": " + opcode + " is refused: ";
    if (!type.carries(opcode)) {
      return refusal + "a queue pair of type " + type + " carries "
          + Arrays.stream(SendOpcode.values()).filter(type::carries).map(Enum::name).collect(Collectors.joining(", "))
          + "; connect one of type RC";
    }
    Capability needed = opcode.capability(type);
    return device.can(needed) ? null : refusal + "the device is not capable of " + needed + "; " + instead(opcode);
  }

  private static String instead(SendOpcode opcode) {
    return switch (opcode) {
      case SEND, WRITE -> "use another type of queue pair";
      case WRITE_WITH_IMMEDIATE -> "write, then send the number as a message";
      case SEND_WITH_IMMEDIATE -> "send the number as a part of the message";
      case READ -> "ask the other end by a message to write";
      case COMPARE_AND_SWAP, FETCH_AND_ADD -> "ask the other end by a message to do it";
      case LOCAL_INVALIDATE, BIND_WINDOW -> "register a memory region for the time that the other end may use it";
      case SEND_WITH_INVALIDATE -> "send, and let the receiver make the key invalid";
    };
  }
}
