package io.remora.verbs.capture;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** The TCP streams over IPv4 in a capture file (pcap, Ethernet). Stateless. */
public final class TcpCapture {
  /** One direction of a connection: its ports and its bytes. */
  public record Stream(int sourcePort, int targetPort, ByteBuffer bytes) {}

  private record Key(int source, int target, int ports) {}

  /** A stream as far as it has been put together: {@code length} bytes without a gap. */
  private static final class Assembly {
    private final int start;
    private byte[] bytes = new byte[1 << 10];
    private int length;

    Assembly(int start) {
      this.start = start;
    }

    void add(int sequence, ByteBuffer payload) {
      int at = sequence - start;
      if (at > length) {
        throw new IllegalStateException("bytes are missing after byte " + length);
      }
      int end = at + payload.remaining();
      if (end > bytes.length) {
        bytes = Arrays.copyOf(bytes, 2 * end);
      }
      payload.get(payload.position(), bytes, at, payload.remaining());
      length = Math.max(length, end);
    }
  }

  private static final int HEADER_BYTES = 24;
  private static final int IPV4 = 0x0800;
  private static final int TCP = 6;
  private static final int SYN = 2;

  private TcpCapture() {}

  /** The streams with data in the gzip'ed file {@code captures/NAME.pcap.gz}, in the order of their starts; segments must not have been lost. */
  public static List<Stream> of(String name) throws IOException {
    try (InputStream in = TcpCapture.class.getResourceAsStream("/captures/" + name + ".pcap.gz")) {
      if (in == null) {
        throw new IOException("no resource captures/" + name + ".pcap.gz");
      }
      return streams(ByteBuffer.wrap(new GZIPInputStream(in).readAllBytes()));
    }
  }

  private static List<Stream> streams(ByteBuffer file) {
    Map<Key, Assembly> assemblies = new LinkedHashMap<>();
    ByteBuffer lengths = file.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    for (int at = HEADER_BYTES; at < file.limit();) {
      int length = lengths.getInt(at + 8);
      segment(file.slice(at + 16, length), assemblies);
      at += 16 + length;
    }
    List<Stream> streams = new ArrayList<>();
    assemblies.forEach((key, assembly) -> {
      if (assembly.length > 0) {
        streams.add(new Stream(key.ports >>> 16, key.ports & 0xffff,
            ByteBuffer.wrap(Arrays.copyOf(assembly.bytes, assembly.length))));
      }
    });
    return streams;
  }

  private static void segment(ByteBuffer frame, Map<Key, Assembly> assemblies) {
    int ip = 14;
    if (frame.remaining() < 54 || frame.getShort(12) != IPV4 || frame.get(ip + 9) != TCP) {
      return;
    }
    int tcp = ip + (frame.get(ip) & 15) * 4;
    int end = ip + (frame.getShort(ip + 2) & 0xffff);
    int data = tcp + (frame.get(tcp + 12) >> 4 & 15) * 4;
    Key key = new Key(frame.getInt(ip + 12), frame.getInt(ip + 16), frame.getInt(tcp));
    if ((frame.get(tcp + 13) & SYN) != 0) {
      assemblies.putIfAbsent(key, new Assembly(frame.getInt(tcp + 4) + 1));
    }
    Assembly assembly = assemblies.get(key);
    if (assembly != null && end > data) {
      assembly.add(frame.getInt(tcp + 4), frame.slice(data, end - data));
    }
  }
}
