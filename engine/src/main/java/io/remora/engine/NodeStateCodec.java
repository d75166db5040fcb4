package io.remora.engine;

import io.remora.base.Addresses;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.engine.NodeState.Phase;
import io.remora.engine.NodeState.PoolEntry;
import io.remora.engine.NodeState.Publication;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.zip.CRC32C;

/**
 * The node's state as a file ({@code docs/format/node.md}). Little-endian.
 *
 * <pre>
 *  0            8         12        16        20
 * | "RMRANODE" | version | length  | CRC32C  | payload ...                                         |
 *                                              node UUID | pools: count, each | publications: count, each |
 *
 * pool:          UUID | phase (1 byte) | name | paths: count, each a string
 * publication:   UUID of the volume | NQN | ADDR:PORT or empty | flags (1 byte, not in version 1) | host NQNs: count, each a string
 * string:        length (4 bytes) | UTF-8         UUID: 16 bytes, as text reads         count: 4 bytes
 * </pre>
 *
 * The checksum covers version, length and payload.
 */
final class NodeStateCodec {
  static final int VERSION = 2;
  private static final int OLDEST_VERSION = 1;
  /** Version 1 has no flags. */
  private static final int VERSION_WITH_FLAGS = 2;
  private static final int WRITE_PROTECTED = 1;
  private static final byte[] MAGIC = "RMRANODE".getBytes(StandardCharsets.US_ASCII);
  private static final int CHECKSUM_AT = 16;
  private static final int HEADER_BYTES = 20;
  private static final int MAX_COUNT = 1 << 16;
  private static final int MAX_STRING_BYTES = 1 << 14;

  private NodeStateCodec() {}

  static byte[] encode(NodeState state) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    putUuid(out, state.node());
    putList(out, state.pools(), pool -> {
      putUuid(out, pool.uuid());
      out.write(pool.phase().code());
      putString(out, pool.name());
      putList(out, pool.paths(), path -> putString(out, path.toString()));
    });
    putList(out, state.publications(), publication -> {
      putUuid(out, publication.volume());
      putString(out, publication.nqn());
      InetSocketAddress address = publication.address();
      putString(out, address == null ? "" : Addresses.format(address));
      out.write(publication.writeProtected() ? WRITE_PROTECTED : 0);
      putList(out, publication.hosts(), host -> putString(out, host));
    });
    byte[] payload = out.toByteArray();
    byte[] content = new byte[HEADER_BYTES + payload.length];
    ByteBuffer file = buffer(content);
    file.put(MAGIC).putInt(VERSION).putInt(payload.length).putInt(0).put(payload);
    seal(content);
    return content;
  }

  /**
   * Reads what {@link #encode} wrote, now or in an earlier version.
   *
   * @throws RemoraException {@link Status#CORRUPT}, or {@link Status#UNSUPPORTED} when a newer program wrote it
   */
  static NodeState decode(byte[] content, Path path) {
    ByteBuffer file = buffer(content);
    if (content.length < HEADER_BYTES || !ByteBuffer.wrap(content, 0, 8).equals(ByteBuffer.wrap(MAGIC))) {
      throw corrupt(path, "is no node state");
    }
    if (file.getInt(12) != content.length - HEADER_BYTES) {
      throw corrupt(path, "has " + content.length + " bytes, not the " + (HEADER_BYTES + (long) file.getInt(12))
          + " that it says");
    }
    if (file.getInt(CHECKSUM_AT) != checksum(content)) {
      throw corrupt(path, "does not match its checksum");
    }
    int version = file.getInt(8);
    if (version < OLDEST_VERSION || version > VERSION) {
      throw new RemoraException(Status.UNSUPPORTED, path + " is of format " + version
          + "; this program reads formats " + OLDEST_VERSION + " to " + VERSION
          + ": run the version of remora that wrote it, or a newer one");
    }
    try {
      file.position(HEADER_BYTES);
      NodeState state = new NodeState(uuid(file), list(file, NodeStateCodec::pool),
          list(file, in -> publication(in, version)));
      if (file.hasRemaining()) {
        throw corrupt(path, "has " + file.remaining() + " bytes too many");
      }
      return state;
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      // What follows a right checksum and does not read was written by no program of ours.
      throw new RemoraException(Status.CORRUPT, corrupt(path, "does not read: " + e).getMessage(), e);
    }
  }

  private static PoolEntry pool(ByteBuffer in) {
    UUID uuid = uuid(in);
    Phase phase = Phase.of(in.get());
    return new PoolEntry(uuid, string(in), phase, list(in, i -> Path.of(string(i))));
  }

  private static Publication publication(ByteBuffer in, int version) {
    UUID volume = uuid(in);
    String nqn = string(in);
    String address = string(in);
    int flags = version < VERSION_WITH_FLAGS ? 0 : in.get();
    check((flags & ~WRITE_PROTECTED) == 0, "flags " + flags);
    return new Publication(volume, nqn, address.isEmpty() ? null : Addresses.parse(address),
        list(in, NodeStateCodec::string), flags == WRITE_PROTECTED);
  }

  private static UUID uuid(ByteBuffer in) {
    in.order(ByteOrder.BIG_ENDIAN);
    UUID uuid = new UUID(in.getLong(), in.getLong());
    in.order(ByteOrder.LITTLE_ENDIAN);
    return uuid;
  }

  private static String string(ByteBuffer in) {
    int length = in.getInt();
    check(length >= 0 && length <= MAX_STRING_BYTES && length <= in.remaining(), "a string of " + length + " bytes");
    byte[] bytes = new byte[length];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static <T> List<T> list(ByteBuffer in, Function<ByteBuffer, T> element) {
    int count = in.getInt();
    check(count >= 0 && count <= MAX_COUNT && count <= in.remaining(), "a list of " + count);
    List<T> list = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      list.add(element.apply(in));
    }
    return list;
  }

  private static void putUuid(ByteArrayOutputStream out, UUID uuid) {
    out.writeBytes(
        ByteBuffer.allocate(16).putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits())
            .array());
  }

  private static void putString(ByteArrayOutputStream out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    check(bytes.length <= MAX_STRING_BYTES, "a string of " + bytes.length + " bytes");
    putInt(out, bytes.length);
    out.writeBytes(bytes);
  }

  private static <T> void putList(ByteArrayOutputStream out, List<T> list, Consumer<T> element) {
    check(list.size() <= MAX_COUNT, "a list of " + list.size());
    putInt(out, list.size());
    list.forEach(element);
  }

  private static void putInt(ByteArrayOutputStream out, int value) {
    byte[] bytes = new byte[4];
    buffer(bytes).putInt(value);
    out.writeBytes(bytes);
  }

  /** Sets the checksum of a whole file. */
  static void seal(byte[] content) {
    buffer(content).putInt(CHECKSUM_AT, checksum(content));
  }

  private static int checksum(byte[] content) {
    CRC32C crc = new CRC32C();
    crc.update(content, 8, 8);
    crc.update(content, HEADER_BYTES, content.length - HEADER_BYTES);
    return (int) crc.getValue();
  }

  private static ByteBuffer buffer(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new IllegalArgumentException(what);
    }
  }

  private static RemoraException corrupt(Path path, String what) {
    return new RemoraException(Status.CORRUPT, path + " " + what
        + ": restore it from a copy, or start with a new data folder and bring the pools in with 'remora pool import'");
  }
}
