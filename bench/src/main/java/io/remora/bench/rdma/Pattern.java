package io.remora.bench.rdma;

/** What goes to and fro. */
enum Pattern {
  /** Each end writes 64 bytes to the other's memory, and looks for them there. */
  WRITE("write of 64 bytes, seen in memory", true),
  /** Each end sends a message of 64 bytes. */
  SEND("message of 64 bytes", true),
  /** As NVMe/RDMA reads: a message of 64 bytes, answered by a write of 4 KiB and a message of 16 bytes. */
  COMMAND("64-byte command, 4 KiB written back, 16-byte answer", false);

  private final String text;
  private final boolean symmetric;

  Pattern(String text, boolean symmetric) {
    this.text = text;
    this.symmetric = symmetric;
  }

  String text() {
    return text;
  }

  /** Whether half of a round trip is one way. */
  boolean symmetric() {
    return symmetric;
  }
}
