package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.remora.verbs.QueuePairType;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * A message of the handshake.
 *
 * <pre>
 *   0   magic        4   kind         8   type of queue pair   12  queue pair number
 *   16  responder resources           20  initiator depth      24  port
 *   28  bytes of the address, 4 or 16; the address behind it   48  bytes of private data; the data behind it
 * </pre>
 *
 * @param kind {@link #REQUEST} and so on
 * @param type of the queue pair
 * @param queuePair its number
 * @param responderResources as the sender sees it
 * @param initiatorDepth as the sender sees it
 * @param from where the sender connects from
 * @param privateData of the sender's user; a copy, read-only
 */
record Hello(int kind, QueuePairType type, int queuePair, int responderResources, int initiatorDepth,
    InetSocketAddress from,
    MemorySegment privateData) {
  /** Wants to connect; with {@link Descriptors}, when the queue pair is connected. */
  static final int REQUEST = 1;
  /** Accepts; with {@link Descriptors}, when the queue pair is connected. */
  static final int ACCEPT = 2;
  static final int REJECT = 3;
  /** The answer to {@link #ACCEPT}. */
  static final int READY = 4;

  /**
   * A new one for each change of what the ends share, which is {@link Control}, {@link Fragment}, {@link KeyLayout}, {@link Descriptors}, datagrams and the messages of {@link Link}. An end of another
   * version is refused.
   */
  static final int VERSION = 3;

  /** RSM in every version; the version, from {@link #VERSION_0} on, is the byte behind it. */
  private static final int NAME = 0x4d_5352;
  private static final int NAME_MASK = 0xff_ffff;
  private static final int VERSION_0 = '0';
  private static final int MAGIC = NAME | (VERSION_0 + VERSION) << 24;
  private static final int FIXED_BYTES = 52;

  /** Writes it and returns its length. */
  int write(MemorySegment to) {
    byte[] address = from.getAddress().getAddress();
    to.asSlice(0, FIXED_BYTES).fill((byte) 0);
    to.set(JAVA_INT, 0, MAGIC);
    to.set(JAVA_INT, 4, kind);
    to.set(JAVA_INT, 8, type.code());
    to.set(JAVA_INT, 12, queuePair);
    to.set(JAVA_INT, 16, responderResources);
    to.set(JAVA_INT, 20, initiatorDepth);
    to.set(JAVA_INT, 24, from.getPort());
    to.set(JAVA_INT, 28, address.length);
    MemorySegment.copy(address, 0, to, JAVA_BYTE, 32, address.length);
    int dataBytes = (int) privateData.byteSize();
    to.set(JAVA_INT, 48, dataBytes);
    MemorySegment.copy(privateData, 0, to, FIXED_BYTES, dataBytes);
    return FIXED_BYTES + dataBytes;
  }

  /** A copy that cannot be changed. */
  static MemorySegment copy(MemorySegment data) {
    return MemorySegment.ofArray(data.toArray(JAVA_BYTE)).asReadOnly();
  }

  /**
   * What {@code length} bytes have against them that are no message of this version but of another one.
   *
   * @param process that has sent them
   * @return the refusal, with both versions; null when they are of this version, or of none
   */
  static @Nullable String otherVersion(MemorySegment source, int length, int process) {
    if (length < 4) {
      return null;
    }
    int magic = source.get(JAVA_INT, 0);
    int version = (magic >>> 24) - VERSION_0;
    return (magic & NAME_MASK) != NAME || version < 1 || version == VERSION
        ? null
        : "shm: the peer, process " + process + ", speaks version " + version + " of the handshake, this end "
            + VERSION;
  }

  /** What {@code length} bytes say; null when they make no sense. */
  static @Nullable Hello read(MemorySegment source, int length) {
    if (length < FIXED_BYTES || source.get(JAVA_INT, 0) != MAGIC) {
      return null;
    }
    int addressBytes = source.get(JAVA_INT, 28);
    int dataBytes = source.get(JAVA_INT, 48);
    int port = source.get(JAVA_INT, 24);
    QueuePairType type = type(source.get(JAVA_INT, 8));
    int resources = source.get(JAVA_INT, 16);
    int depth = source.get(JAVA_INT, 20);
    if ((addressBytes != 4 && addressBytes != 16) || dataBytes != length - FIXED_BYTES
        || dataBytes > ShmContext.MAX_PRIVATE_DATA_BYTES || port < 0 || port > 0xffff || type == null || resources < 0
        || resources > ShmContext.MAX_READS || depth < 0 || depth > ShmContext.MAX_READS) {
      return null;
    }
    byte[] address = source.asSlice(32, addressBytes).toArray(JAVA_BYTE);
    MemorySegment data = copy(source.asSlice(FIXED_BYTES, dataBytes));
    try {
      return new Hello(source.get(JAVA_INT, 4), type, source.get(JAVA_INT, 12), resources, depth,
          new InetSocketAddress(InetAddress.getByAddress(address), port), data);
    } catch (UnknownHostException e) {
      return null;
    }
  }

  private static @Nullable QueuePairType type(int code) {
    for (QueuePairType type : QueuePairType.values()) {
      if (type.code() == code) {
        return type;
      }
    }
    return null;
  }
}
