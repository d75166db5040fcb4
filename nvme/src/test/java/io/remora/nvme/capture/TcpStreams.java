package io.remora.nvme.capture;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Puts the TCP streams of a capture together again, each direction by itself: segments in any order, sent twice, overlapping,
 * in part or as a whole. Segments that overlap must agree.
 */
public final class TcpStreams {
  private static final int IPV4 = 0x0800;
  private static final int TCP = 6;
  private static final int SYN = 2;

  /**
   * One direction of a connection. Ports are those of its segments.
   *
   * @param late how many segments came after bytes that follow them: lost or reordered, and sent again
   * @param gap whether bytes are missing; then {@code bytes} ends before them
   */
  public record Stream(int sourcePort, int targetPort, ByteBuffer bytes, int segments, int late, boolean gap) {}

  private record Key(int source, int target, int ports) {}

  private static final class Assembly {
    private final Key key;
    private final int start;
    private final TreeMap<Long, ByteBuffer> parts = new TreeMap<>();
    private int segments;
    private int late;
    private long highest;

    Assembly(Key key, int start) {
      this.key = key;
      this.start = start;
    }

    void add(int sequence, ByteBuffer payload) {
      long at = Integer.toUnsignedLong(sequence - start);
      segments++;
      if (at < highest) {
        late++;
      }
      highest = Math.max(highest, at + payload.remaining());
      ByteBuffer before = parts.get(at);
      if (before == null || before.remaining() < payload.remaining()) {
        parts.put(at, payload);
      }
    }

    Stream join() {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      boolean gap = false;
      for (Map.Entry<Long, ByteBuffer> part : parts.entrySet()) {
        int at = Math.toIntExact(part.getKey());
        if (at > out.size()) {
          gap = true;
          break;
        }
        byte[] bytes = new byte[part.getValue().remaining()];
        part.getValue().get(0, bytes);
        byte[] have = out.toByteArray();
        int overlap = Math.min(out.size() - at, bytes.length);
        for (int i = 0; i < overlap; i++) {
          if (have[at + i] != bytes[i]) {
            throw new IllegalStateException("segments disagree at byte " + (at + i) + " of " + key);
          }
        }
        out.write(bytes, overlap, bytes.length - overlap);
      }
      return new Stream(key.ports >>> 16, key.ports & 0xffff, ByteBuffer.wrap(out.toByteArray()), segments, late,
          gap);
    }
  }

  private TcpStreams() {}

  /** All streams whose start is in the capture, in the order of their starts; those without data are left out. */
  public static List<Stream> of(List<ByteBuffer> frames) {
    Map<Key, Assembly> current = new LinkedHashMap<>();
    List<Assembly> all = new ArrayList<>();
    for (ByteBuffer frame : frames) {
      if (frame.remaining() < 54 || frame.getShort(12) != IPV4 || frame.get(23) != TCP) {
        continue;
      }
      int ip = 14;
      int tcp = ip + (frame.get(ip) & 15) * 4;
      int end = ip + (frame.getShort(ip + 2) & 0xffff);
      int data = tcp + ((frame.get(tcp + 12) >> 4) & 15) * 4;
      Key key = new Key(frame.getInt(ip + 12), frame.getInt(ip + 16), frame.getInt(tcp));
      int sequence = frame.getInt(tcp + 4);
      Assembly known = current.get(key);
      if ((frame.get(tcp + 13) & SYN) != 0) {
        known = begin(current, all, key, known, sequence + 1);
      }
      if (known != null && end > data) {
        known.add(sequence, frame.slice(data, end - data));
      }
    }
    return all.stream().filter(assembly -> !assembly.parts.isEmpty()).map(Assembly::join).toList();
  }

  private static Assembly begin(Map<Key, Assembly> current, List<Assembly> all, Key key, @Nullable Assembly known,
      int start) {
    if (known != null && known.start == start) {
      return known;
    }
    Assembly assembly = new Assembly(key, start);
    current.put(key, assembly);
    all.add(assembly);
    return assembly;
  }
}
