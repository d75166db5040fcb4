package io.remora.nvme;

import io.remora.base.Status;

/**
 * NVMe status values (NVMe Base 2.0, 3.3.3.2.1), as an int: status code in bits 7..0, type in 10..8, retry delay in 12..11, more
 * 13, do-not-retry 14. On the wire it stands one bit further left, above the phase bit.
 */
public final class NvmeStatus {
  /** Do not retry. */
  public static final int DNR = 0x4000;

  public static final int SUCCESS = 0x000;
  public static final int INVALID_OPCODE = 0x001;
  public static final int INVALID_FIELD = 0x002;
  public static final int CID_CONFLICT = 0x003;
  public static final int DATA_TRANSFER_ERROR = 0x004;
  public static final int INTERNAL_ERROR = 0x006;
  public static final int ABORT_REQUESTED = 0x007;
  public static final int FAILED_FUSED_COMMAND = 0x009;
  public static final int MISSING_FUSED_COMMAND = 0x00A;
  public static final int INVALID_NAMESPACE = 0x00B;
  public static final int COMMAND_SEQUENCE_ERROR = 0x00C;
  public static final int INVALID_SGL_SEGMENT = 0x00D;
  public static final int INVALID_SGL_LENGTH = 0x00F;
  public static final int INVALID_SGL_TYPE = 0x011;
  public static final int INVALID_SGL_OFFSET = 0x016;
  public static final int ATOMIC_WRITE_UNIT_EXCEEDED = 0x014;
  public static final int KEEP_ALIVE_EXPIRED = 0x018;
  public static final int NAMESPACE_WRITE_PROTECTED = 0x020;
  public static final int COMMAND_INTERRUPTED = 0x021;
  public static final int TRANSIENT_TRANSPORT_ERROR = 0x022;
  public static final int LBA_OUT_OF_RANGE = 0x080;
  public static final int CAPACITY_EXCEEDED = 0x081;
  public static final int NAMESPACE_NOT_READY = 0x082;

  public static final int ABORT_LIMIT_EXCEEDED = 0x103;
  public static final int INVALID_LOG_PAGE = 0x109;
  public static final int FEATURE_NOT_SAVEABLE = 0x10D;
  public static final int FEATURE_NOT_CHANGEABLE = 0x10E;
  public static final int AER_LIMIT_EXCEEDED = 0x105;
  public static final int CONNECT_BAD_FORMAT = 0x180;
  public static final int CONNECT_CONTROLLER_BUSY = 0x181;
  public static final int CONNECT_INVALID_PARAMETERS = 0x182;
  public static final int CONNECT_RESTART_DISCOVERY = 0x183;
  /** Of Copy: more, or longer, ranges than Identify Namespace permits. */
  public static final int COMMAND_SIZE_LIMIT_EXCEEDED = 0x183;
  public static final int CONNECT_INVALID_HOST = 0x184;
  public static final int INVALID_QUEUE_TYPE = 0x185;
  public static final int DISCOVERY_RESTART = 0x190;
  public static final int AUTHENTICATION_REQUIRED = 0x191;

  public static final int WRITE_FAULT = 0x280;
  public static final int UNRECOVERED_READ_ERROR = 0x281;
  public static final int GUARD_CHECK_ERROR = 0x282;
  public static final int COMPARE_FAILURE = 0x285;
  public static final int ACCESS_DENIED = 0x286;

  public static final int INTERNAL_PATH_ERROR = 0x300;
  public static final int ANA_PERSISTENT_LOSS = 0x301;
  public static final int ANA_INACCESSIBLE = 0x302;
  public static final int ANA_TRANSITION = 0x303;
  public static final int HOST_PATH_ERROR = 0x370;
  public static final int HOST_ABORTED = 0x371;

  private NvmeStatus() {}

  /** Whether a status, with or without its upper bits, means success. */
  public static boolean isSuccess(int status) {
    return (status & 0x7ff) == 0;
  }

  /** Type and code of a status, without retry delay, more and do-not-retry. */
  public static int code(int status) {
    return status & 0x7ff;
  }

  /** Whether a command failed on its way (status code type 3): on another path it may succeed. It is not carried out. */
  public static boolean isPathError(int status) {
    return (status & 0x700) == 0x300;
  }

  /** What a target answers for {@code status} of a device; {@code write} tells the two kinds of medium error apart. */
  public static int of(Status status, boolean write) {
    return switch (status) {
      case OK -> SUCCESS;
      case INVALID -> INVALID_FIELD | DNR;
      case OUT_OF_RANGE -> LBA_OUT_OF_RANGE | DNR;
      case UNSUPPORTED -> INVALID_OPCODE | DNR;
      case NOT_FOUND -> INVALID_NAMESPACE | DNR;
      case MISCOMPARE -> COMPARE_FAILURE | DNR;
      case NO_SPACE -> CAPACITY_EXCEEDED | DNR;
      case READ_ONLY -> NAMESPACE_WRITE_PROTECTED | DNR;
      case DENIED -> ACCESS_DENIED | DNR;
      case MEDIUM_ERROR -> write ? WRITE_FAULT : UNRECOVERED_READ_ERROR;
      case CORRUPT -> write ? WRITE_FAULT : GUARD_CHECK_ERROR;
      case BUSY, NO_RESOURCES -> NAMESPACE_NOT_READY;
      case DISCONNECTED, TIMED_OUT -> INTERNAL_PATH_ERROR;
      case ABORTED -> ABORT_REQUESTED;
      case EXISTS, PROTOCOL_ERROR, INTERNAL -> INTERNAL_ERROR;
    };
  }

  /** A few words for people. */
  public static String text(int status) {
    return switch (code(status)) {
      case SUCCESS -> "success";
      case INVALID_OPCODE -> "invalid opcode";
      case INVALID_FIELD -> "invalid field";
      case CID_CONFLICT -> "command identifier in use";
      case DATA_TRANSFER_ERROR -> "data transfer error";
      case INTERNAL_ERROR -> "internal error";
      case ABORT_REQUESTED -> "aborted";
      case INVALID_NAMESPACE -> "invalid namespace";
      case COMMAND_SEQUENCE_ERROR -> "command sequence error";
      case LBA_OUT_OF_RANGE -> "block address out of range";
      case CAPACITY_EXCEEDED -> "capacity exceeded";
      case NAMESPACE_NOT_READY -> "namespace not ready";
      case NAMESPACE_WRITE_PROTECTED -> "namespace write protected";
      case TRANSIENT_TRANSPORT_ERROR -> "transient transport error";
      case INVALID_LOG_PAGE -> "invalid log page";
      case CONNECT_BAD_FORMAT -> "connect: format not supported";
      case CONNECT_CONTROLLER_BUSY -> "connect: controller busy";
      case CONNECT_INVALID_PARAMETERS -> "connect: invalid parameters; is there such a subsystem?";
      case CONNECT_RESTART_DISCOVERY -> "connect: restart discovery";
      case CONNECT_INVALID_HOST -> "connect: this host is not allowed";
      case AUTHENTICATION_REQUIRED -> "authentication required";
      case WRITE_FAULT -> "write fault";
      case UNRECOVERED_READ_ERROR -> "unrecovered read error";
      case COMPARE_FAILURE -> "data does not compare";
      case ACCESS_DENIED -> "access denied";
      case INTERNAL_PATH_ERROR -> "internal path error";
      case ANA_INACCESSIBLE -> "namespace inaccessible on this path";
      default -> "see the NVMe specification";
    };
  }

  /** What a host's device reports for a command that ended with {@code status}. */
  public static Status toStatus(int status) {
    return switch (code(status)) {
      case SUCCESS -> Status.OK;
      case INVALID_OPCODE -> Status.UNSUPPORTED;
      case INVALID_FIELD, INVALID_SGL_SEGMENT, INVALID_SGL_LENGTH, INVALID_SGL_TYPE,
          INVALID_SGL_OFFSET ->
        Status.INVALID;
      case INVALID_NAMESPACE -> Status.NOT_FOUND;
      case LBA_OUT_OF_RANGE -> Status.OUT_OF_RANGE;
      case CAPACITY_EXCEEDED -> Status.NO_SPACE;
      case NAMESPACE_WRITE_PROTECTED -> Status.READ_ONLY;
      case NAMESPACE_NOT_READY, COMMAND_INTERRUPTED, CONNECT_CONTROLLER_BUSY -> Status.BUSY;
      case ABORT_REQUESTED, HOST_ABORTED -> Status.ABORTED;
      case WRITE_FAULT, UNRECOVERED_READ_ERROR -> Status.MEDIUM_ERROR;
      case GUARD_CHECK_ERROR -> Status.CORRUPT;
      case COMPARE_FAILURE -> Status.MISCOMPARE;
      case ACCESS_DENIED, CONNECT_INVALID_HOST, AUTHENTICATION_REQUIRED -> Status.DENIED;
      case DATA_TRANSFER_ERROR, TRANSIENT_TRANSPORT_ERROR, INTERNAL_PATH_ERROR, ANA_PERSISTENT_LOSS, ANA_INACCESSIBLE,
          ANA_TRANSITION, HOST_PATH_ERROR ->
        Status.DISCONNECTED;
      default -> Status.INTERNAL;
    };
  }
}
