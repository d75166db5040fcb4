package io.remora.verbs.iwarp;

import java.util.List;

/** The operations of RDMAP (RFC 5040 4.1, RFC 7306 4) and what their headers look like. Stateless. */
final class Rdmap {
  static final int WRITE = 0;
  static final int READ_REQUEST = 1;
  static final int READ_RESPONSE = 2;
  static final int SEND = 3;
  static final int SEND_INVALIDATE = 4;
  static final int SEND_SOLICITED = 5;
  static final int SEND_SOLICITED_INVALIDATE = 6;
  static final int TERMINATE = 7;
  static final int IMMEDIATE = 8;
  static final int IMMEDIATE_SOLICITED = 9;
  static final int ATOMIC_REQUEST = 10;
  static final int ATOMIC_RESPONSE = 11;
  /** A message with immediate data, which RFC 7306 does not have: a Send with the data in the field of the STag to invalidate. Between our own ends. */
  static final int SEND_IMMEDIATE = 12;
  static final int SEND_IMMEDIATE_SOLICITED = 13;

  /** The number of operations that have a name here. */
  static final int COUNT = 14;
  /** Operations below are those of RFC 5040, which every peer knows. */
  static final int BASIC_COUNT = 8;

  /** Queue numbers of untagged messages. */
  static final int QUEUE_SEND = 0;
  static final int QUEUE_READ = 1;
  static final int QUEUE_TERMINATE = 2;
  static final int QUEUE_ATOMIC_RESPONSE = 3;

  /** Headers, from the length field to the first byte of the payload, in bytes. */
  static final int TAGGED_BYTES = 16;
  static final int UNTAGGED_BYTES = 20;
  static final int READ_REQUEST_BYTES = UNTAGGED_BYTES + 28;
  static final int IMMEDIATE_BYTES = UNTAGGED_BYTES + 8;
  static final int ATOMIC_REQUEST_BYTES = UNTAGGED_BYTES + 52;
  static final int ATOMIC_RESPONSE_BYTES = UNTAGGED_BYTES + 12;
  /** A Terminate is taken as one header; the longest that RFC 5040 knows has 72 bytes. */
  static final int TERMINATE_MIN_BYTES = UNTAGGED_BYTES + 4;
  static final int TERMINATE_MAX_BYTES = 128;

  /** The longest header. */
  static final int MAX_HEADER_BYTES = TERMINATE_MAX_BYTES;

  private static final List<String> NAMES = List.of("Write", "Read Request", "Read Response", "Send", "Send Inv",
      "Send SE", "Send SE Inv",
      "Terminate", "Immediate", "Immediate SE", "Atomic Request", "Atomic Response", "Send Imm", "Send SE Imm");

  private Rdmap() {}

  /** For people. */
  static String name(int opcode) {
    return opcode >= 0 && opcode < COUNT ? NAMES.get(opcode) : "opcode " + opcode;
  }

  /** Whether it names its place in the receiver's memory. */
  static boolean tagged(int opcode) {
    return opcode == WRITE || opcode == READ_RESPONSE;
  }

  /** Whether it takes a receive and brings a message. */
  static boolean isSend(int opcode) {
    return (opcode >= SEND && opcode <= SEND_SOLICITED_INVALIDATE) || opcode == SEND_IMMEDIATE
        || opcode == SEND_IMMEDIATE_SOLICITED;
  }

  /** Whether it makes an STag of the receiver's invalid. */
  static boolean invalidates(int opcode) {
    return opcode == SEND_INVALIDATE || opcode == SEND_SOLICITED_INVALIDATE;
  }

  /** Whether it brings immediate data. */
  static boolean hasImmediate(int opcode) {
    return opcode == IMMEDIATE || opcode == IMMEDIATE_SOLICITED || opcode == SEND_IMMEDIATE
        || opcode == SEND_IMMEDIATE_SOLICITED;
  }

  /** Whether the receiver's completion is a solicited event. */
  static boolean solicited(int opcode) {
    return opcode == SEND_SOLICITED || opcode == SEND_SOLICITED_INVALIDATE || opcode == IMMEDIATE_SOLICITED
        || opcode == SEND_IMMEDIATE_SOLICITED;
  }

  /** The queue that an untagged operation goes to. */
  static int queue(int opcode) {
    return switch (opcode) {
      case READ_REQUEST, ATOMIC_REQUEST -> QUEUE_READ;
      case TERMINATE -> QUEUE_TERMINATE;
      case ATOMIC_RESPONSE -> QUEUE_ATOMIC_RESPONSE;
      default -> QUEUE_SEND;
    };
  }

  /** The length of its header in bytes, the length field included; of a Terminate the least. */
  static int headerBytes(int opcode) {
    return switch (opcode) {
      case WRITE, READ_RESPONSE -> TAGGED_BYTES;
      case READ_REQUEST -> READ_REQUEST_BYTES;
      case TERMINATE -> TERMINATE_MIN_BYTES;
      case IMMEDIATE, IMMEDIATE_SOLICITED -> IMMEDIATE_BYTES;
      case ATOMIC_REQUEST -> ATOMIC_REQUEST_BYTES;
      case ATOMIC_RESPONSE -> ATOMIC_RESPONSE_BYTES;
      default -> UNTAGGED_BYTES;
    };
  }

  /** Whether a payload follows the header. */
  static boolean hasPayload(int opcode) {
    return tagged(opcode) || isSend(opcode);
  }
}
