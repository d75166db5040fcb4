package io.remora.nvme.tcp;

/** How the target answered a command. */
final class Reply {
  private final int cid;
  private final int status;
  private final long result;
  private final int sqhd;
  private final byte[] data;

  Reply(int cid, int status, long result, int sqhd, byte[] data) {
    this.cid = cid;
    this.status = status;
    this.result = result;
    this.sqhd = sqhd;
    this.data = data;
  }

  int cid() {
    return cid;
  }

  /** The status with its upper bits; success when the last data stood for the response. */
  int status() {
    return status;
  }

  long result() {
    return result;
  }

  /** The queue head, or -1 when no response capsule came. */
  int sqhd() {
    return sqhd;
  }

  /** The data that came. */
  byte[] data() {
    return data;
  }
}
