package io.remora.nvme.tcp;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;

/**
 * Reads strictly what a target sends to one fuzzing host: every PDU has to be valid, belong to a command that has no answer yet, and
 * bring only data that belongs to it. Shares no code with the target.
 */
final class FuzzAnswers {
  /** Words of this kind are in memory of the honest host and nowhere else. */
  static final int SECRET = 0x5ec2e75e;
  /** Status type and code that a target of ours may answer. */
  private static final Set<Integer> STATUSES = Set.of(0x000, 0x001, 0x002, 0x003, 0x004, 0x006, 0x007, 0x009, 0x00A,
      0x00B, 0x00C, 0x00D, 0x00F, 0x011, 0x015, 0x016, 0x018, 0x020, 0x021, 0x022, 0x080, 0x081, 0x082, 0x083, 0x103,
      0x105, 0x109, 0x10D, 0x10E, 0x10F, 0x180, 0x181, 0x182, 0x183, 0x184, 0x185, 0x190, 0x191, 0x280, 0x281, 0x282,
      0x285, 0x286, 0x300, 0x301, 0x302, 0x303);

  /** What the connection wants to know. */
  interface Listener {
    void onInitialized();

    void onAnswer(FuzzModel.Open command, int status, long result);

    void onR2t(FuzzModel.Open command);

    void onTermReq(int fes);
  }

  private final FuzzModel model;
  private final Listener listener;
  private byte[] pending = {};
  private boolean icResp;
  boolean termReq;
  boolean noFlowControl;
  boolean connected;
  /** Zero for admin queues. */
  int queueId;
  int entries = Integer.MAX_VALUE;

  FuzzAnswers(FuzzModel model, Listener listener) {
    this.model = model;
    this.listener = listener;
  }

  void received(byte[] bytes) {
    if (model.unsure) {
      return;
    }
    byte[] all = bytes;
    if (pending.length > 0) {
      all = Arrays.copyOf(pending, pending.length + bytes.length);
      System.arraycopy(bytes, 0, all, pending.length, bytes.length);
    }
    int at = 0;
    while (all.length - at >= 8 && !model.unsure) {
      long plen = Pdus.view(all).getInt(at + 4) & 0xffff_ffffL;
      check(plen >= 24 && plen <= (1 << 20) + 1024, "PLEN %d", plen);
      if (all.length - at < plen) {
        break;
      }
      take(Arrays.copyOfRange(all, at, at + (int) plen));
      at += (int) plen;
    }
    pending = Arrays.copyOfRange(all, at, all.length);
  }

  /** The stream has ended in order: not within a PDU. */
  void ended() {
    check(pending.length == 0 || model.unsure, "the stream ends within a PDU");
  }

  private void take(byte[] pdu) {
    check(!termReq, "a PDU after the TermReq");
    int type = pdu[0];
    if (type == 1) {
      initialized(pdu);
      return;
    }
    if (type == 3) {
      termReq(pdu);
      return;
    }
    check(icResp, "type %d before ICResp", type);
    ByteBuffer b = Pdus.view(pdu);
    check(pdu[2] == 24, "HLEN %d", pdu[2]);
    check((pdu[1] & 1) == (model.headerDigest ? 1 : 0), "header digest flag");
    int header = 24;
    if (model.headerDigest) {
      check(b.getInt(24) == Pdus.crc(pdu, 0, 24), "header digest");
      header = 28;
    }
    switch (type) {
      case 5 -> {
        check(pdu.length == header && (pdu[1] & ~1) == 0 && pdu[3] == 0, "CapsuleResp header");
        response(b);
      }
      case 7 -> data(pdu, b, header);
      case 9 -> {
        check(pdu.length == header && (pdu[1] & ~1) == 0 && pdu[3] == 0, "R2T header");
        r2t(b);
      }
      default -> throw new AssertionError("PDU of type " + type);
    }
  }

  private void initialized(byte[] pdu) {
    ByteBuffer b = Pdus.view(pdu);
    check(!icResp && model.initialized, "ICResp without ICReq");
    check(pdu.length == 128 && pdu[1] == 0 && (pdu[2] & 0xff) == 128 && pdu[3] == 0, "ICResp header");
    check(b.getShort(8) == 0 && pdu[10] == 0, "ICResp version and alignment");
    check(pdu[11] == ((model.headerDigest ? 1 : 0) | (model.dataDigest ? 2 : 0)), "ICResp digests");
    check(b.getInt(12) >= 4096 && b.getInt(12) % 4 == 0, "ICResp MAXH2CDATA");
    for (int i = 16; i < 128; i++) {
      check(pdu[i] == 0, "ICResp reserved bytes");
    }
    icResp = true;
    listener.onInitialized();
  }

  private void termReq(byte[] pdu) {
    ByteBuffer b = Pdus.view(pdu);
    termReq = true;
    check(pdu.length >= 24 && pdu.length <= 152 && pdu[1] == 0 && pdu[2] == 24 && pdu[3] == 0, "TermReq header");
    int fes = b.getShort(8) & 0xffff;
    long fei = b.getInt(10) & 0xffff_ffffL;
    boolean right = model.fatal.stream().anyMatch(f -> f.fes() == fes && (f.fei() == -1 || f.fei() == fei));
    check(right, "TermReq %d/%d where %s is right", fes, fei, model.fatal);
    // More may have come to the target than was there when the model saw the fault.
    int known = Math.min(pdu.length - 24, model.fatalPdu.length);
    check(known >= 8 && Arrays.equals(pdu, 24, 24 + known, model.fatalPdu, 0, known), "the header in the TermReq");
    listener.onTermReq(fes);
  }

  private void response(ByteBuffer b) {
    int cid = b.getShort(20) & 0xffff;
    int status = (b.getShort(22) & 0xffff) >> 1;
    check((b.getShort(22) & 1) == 0, "phase bit");
    check(STATUSES.contains(status & 0x7ff), "status %x", status);
    check(b.getShort(18) == 0, "SQID %d", b.getShort(18));
    boolean success = (status & 0x7ff) == 0;
    FuzzModel.Open command = model.find(cid, "response " + Integer.toHexString(status),
        c -> !success || (mayHaveIn(c) && mayHaveOut(c) && !c.spoilt));
    int sqhd = b.getShort(16) & 0xffff;
    // With a doubled identifier the answer may be another command's.
    boolean connects = command.opcode == 0x7f && command.sqe[4] == 1
        && !(connected && model.ambiguous.contains(cid));
    if (connects && success) {
      check(!connected, "a second Connect succeeded");
      connected = true;
      entries = (Pdus.view(command.sqe).getShort(44) & 0xffff) + 1;
      noFlowControl = (command.sqe[46] & 4) != 0;
      check(sqhd == (noFlowControl ? 0xffff : 1) || model.commands > 1, "SQHD %x of Connect", sqhd);
    } else if (connected) {
      check(noFlowControl || sqhd < entries, "SQHD %d of %d", sqhd, entries);
    }
    check(connected || !success, "command %x succeeded before Connect", command.opcode);
    model.answered(command);
    if (command.tag >= 0) {
      model.tags.remove(command.tag, command);
    }
    listener.onAnswer(command, status, b.getLong(8));
  }

  /** Success brings all the data that was asked for; Get Features of something without data brings none. */
  private static boolean mayHaveIn(FuzzModel.Open c) {
    return !c.in() || c.sentToHost == c.sglLength || (c.opcode == 0x0a && c.sentToHost == 0);
  }

  private static boolean mayHaveOut(FuzzModel.Open c) {
    return !c.out() || c.sglType != 0x5a || c.received.length == c.sglLength || c.opcode == 0x09
        || (c.opcode == 0x7f && c.sqe[4] != 1);
  }

  private void data(byte[] pdu, ByteBuffer b, int header) {
    int cid = b.getShort(8) & 0xffff;
    long offset = b.getInt(12) & 0xffff_ffffL;
    int length = b.getInt(16);
    int pdo = pdu[3] & 0xff;
    check(length > 0 && pdo >= header && pdo % model.alignment == 0, "C2HData of %d at PDO %d", length, pdo);
    check(pdu.length == pdo + length + (model.dataDigest ? 4 : 0), "PLEN of C2HData");
    check((pdu[1] & 2) == (model.dataDigest ? 2 : 0), "data digest flag");
    check(!model.dataDigest || b.getInt(pdo + length) == Pdus.crc(pdu, pdo, length), "data digest");
    FuzzModel.Open command = model.find(cid, "C2HData " + offset + "+" + length,
        c -> c.in() && !c.lastSeen && c.sentToHost == offset && offset + length <= c.sglLength);
    command.sentToHost += length;
    command.lastSeen = (pdu[1] & 4) != 0;
    if (!model.ambiguous.contains(cid)) {
      check(command.lastSeen == (command.sentToHost == command.sglLength), "LAST");
    }
    content(command, pdu, pdo, offset, length);
    if ((pdu[1] & 8) != 0) {
      check(command.lastSeen && noFlowControl && connected, "SUCCESS");
      model.answered(command);
      listener.onAnswer(command, 0, 0);
    }
  }

  private void content(FuzzModel.Open command, byte[] pdu, int pdo, long offset, int length) {
    ByteBuffer b = Pdus.view(pdu);
    boolean unique = !model.ambiguous.contains(command.cid);
    boolean read = command.opcode == 0x02 && command.sqe[40 + 7] == 0 && queueId > 0;
    for (int i = 0; i + 4 <= length; i += 4) {
      int word = b.getInt(pdo + i);
      check(word != SECRET, "somebody else's data at byte %d of the answer to opcode %x", offset + i, command.opcode);
      if (read && unique && i % 512 == 0) {
        check(word == FuzzDevice.word(command.offsetBytes() + offset + i), "byte %d of a read is wrong", offset + i);
      }
    }
  }

  private void r2t(ByteBuffer b) {
    int cid = b.getShort(8) & 0xffff;
    int tag = b.getShort(10) & 0xffff;
    long offset = b.getInt(12) & 0xffff_ffffL;
    long length = b.getInt(16) & 0xffff_ffffL;
    FuzzModel.Open command = model.find(cid, "R2T " + offset + "+" + length,
        c -> c.out() && c.sglType == 0x5a && !c.owed() && c.granted == offset && offset + length <= c.sglLength);
    check(length > 0 && b.getInt(20) == 0, "R2T of %d bytes", length);
    check(model.tags.put(tag, command) == null, "transfer tag %x is in use", tag);
    command.tag = tag;
    command.granted = offset + length;
    listener.onR2t(command);
  }

  private static void check(boolean holds, String what, Object... arguments) {
    if (!holds) {
      throw new AssertionError("the target is wrong: " + what.formatted(arguments));
    }
  }
}
