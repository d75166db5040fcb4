package io.remora.verbs.iwarp;

/**
 * Why a stream is terminated: layer, type and code of RFC 5040 4.8, RFC 5041 8.2 and RFC 5044 8 as one number, {@code layer << 12 | type << 8 | code}. Stateless.
 */
final class Terminate {
  static final int READ_KEY = 0x0100;
  static final int READ_BOUNDS = 0x0101;
  static final int READ_ACCESS = 0x0102;
  static final int READ_NOT_ASSOCIATED = 0x0103;
  static final int READ_WRAP = 0x0104;
  static final int CANNOT_INVALIDATE = 0x0109;
  static final int RDMAP_VERSION = 0x0205;
  static final int OPCODE = 0x0206;
  static final int TOO_MANY_READS = 0x0207;
  static final int UNSPECIFIED = 0x02ff;
  static final int LOCAL_CATASTROPHE = 0x1000;
  static final int TAGGED_KEY = 0x1100;
  static final int TAGGED_BOUNDS = 0x1101;
  static final int TAGGED_NOT_ASSOCIATED = 0x1102;
  static final int TAGGED_WRAP = 0x1103;
  static final int TAGGED_VERSION = 0x1104;
  static final int QUEUE = 0x1201;
  static final int NO_RECEIVE = 0x1202;
  static final int SEQUENCE = 0x1203;
  static final int MESSAGE_OFFSET = 0x1204;
  static final int TOO_LONG = 0x1205;
  static final int UNTAGGED_VERSION = 0x1206;
  static final int CRC = 0x2002;
  static final int FRAME = 0x2003;
  static final int HANDSHAKE = 0x2004;
  static final int NOT_ENOUGH_READS = 0x2006;
  static final int NO_COMMON_START = 0x2007;

  /** In the low half of the word: the frame's length, its DDP header, and the header of its Read Request follow. */
  static final int PARTS_DDP = 0xc000;
  static final int PARTS_READ = 0xe000;

  /** The same as siw writes them: it fills both halves of the word from the low bit of each byte. */
  private static final int SIW_PARTS = 0x0700;

  private Terminate() {}

  /**
   * The cause in the word of a Terminate that has arrived. Linux's siw, up to 6.12 at least, swaps layer and type, and puts the flags of what follows at the other
   * end of their byte, by which it is known.
   */
  static int cause(int word) {
    int cause = word >>> 16;
    boolean siw = (word & PARTS_READ) == 0 && (word & SIW_PARTS) != 0;
    boolean impossible = cause >>> 12 > 2;
    return siw || impossible ? ((cause >>> 12) << 8) | (((cause >>> 8) & 0xf) << 12) | (cause & 0xff) : cause;
  }

  /** Whether the peer means one of its keys, ranges or rights. */
  static boolean isAccess(int cause) {
    return cause >>> 8 == 0x01 || cause >>> 8 == 0x11;
  }

  /** For people: what it means, and the numbers. */
  static String text(int cause) {
    return words(cause) + " (layer " + (cause >>> 12) + ", type " + (cause >>> 8 & 0xf) + ", code " + (cause & 0xff)
        + ")";
  }

  private static String words(int cause) {
    return switch (cause) {
      case READ_KEY, TAGGED_KEY -> "the key is not valid";
      case READ_BOUNDS, TAGGED_BOUNDS -> "the range is not inside of the memory of that key";
      case READ_ACCESS -> "the memory may not be used so";
      case READ_NOT_ASSOCIATED, TAGGED_NOT_ASSOCIATED -> "the key belongs to another protection domain or connection";
      case READ_WRAP, TAGGED_WRAP -> "the range wraps around";
      case CANNOT_INVALIDATE, 0x0209 -> "the key cannot be invalidated";
      case RDMAP_VERSION -> "RDMAP version";
      case OPCODE -> "unexpected operation";
      case TOO_MANY_READS -> "more reads under way than agreed, or the stream has failed there";
      case UNSPECIFIED -> "unspecified error";
      case TAGGED_VERSION, UNTAGGED_VERSION -> "DDP version";
      case QUEUE -> "no such queue";
      case NO_RECEIVE -> "a message came and no receive was posted";
      case SEQUENCE -> "message sequence number out of order";
      case MESSAGE_OFFSET -> "message offset not contiguous";
      case TOO_LONG -> "message longer than the receive posted for it";
      case 0x2001 -> "the TCP connection was lost";
      case CRC -> "CRC error";
      case FRAME -> "frame out of place";
      case HANDSHAKE -> "the MPA request or reply is not valid";
      case 0x2005 -> "catastrophic error of MPA";
      case NOT_ENOUGH_READS -> "fewer reads are served at once than asked for";
      case NO_COMMON_START -> "no way in common to begin a peer-to-peer connection";
      default -> layer(cause >>> 12) + " error";
    };
  }

  private static String layer(int layer) {
    return switch (layer) {
      case 0 -> "RDMAP";
      case 1 -> "DDP";
      case 2 -> "MPA";
      default -> "unknown";
    };
  }
}
