package io.remora.nvme;

/** Opcodes, fabrics command types, and the identifiers of Identify data, log pages and features. */
public final class Opcode {
  // Admin commands (NVMe Base 2.0, figure 138).
  public static final int GET_LOG_PAGE = 0x02;
  public static final int IDENTIFY = 0x06;
  public static final int ABORT = 0x08;
  public static final int SET_FEATURES = 0x09;
  public static final int GET_FEATURES = 0x0A;
  public static final int ASYNC_EVENT_REQUEST = 0x0C;
  public static final int KEEP_ALIVE = 0x18;

  // I/O commands (NVM Command Set 1.0, figure 20).
  public static final int FLUSH = 0x00;
  public static final int WRITE = 0x01;
  public static final int READ = 0x02;
  public static final int WRITE_UNCORRECTABLE = 0x04;
  public static final int COMPARE = 0x05;
  public static final int WRITE_ZEROES = 0x08;
  public static final int DATASET_MANAGEMENT = 0x09;
  public static final int VERIFY = 0x0C;
  public static final int COPY = 0x19;

  // Fabrics commands (NVMe-oF 1.1, 3): opcode and types.
  public static final int FABRICS = 0x7F;
  public static final int PROPERTY_SET = 0x00;
  public static final int CONNECT = 0x01;
  public static final int PROPERTY_GET = 0x04;
  public static final int AUTHENTICATION_SEND = 0x05;
  public static final int AUTHENTICATION_RECEIVE = 0x06;
  public static final int DISCONNECT = 0x08;

  private Opcode() {}
}
