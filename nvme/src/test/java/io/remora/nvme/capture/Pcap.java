package io.remora.nvme.capture;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Reads the frames of a pcap file of Ethernet frames. Stateless. */
public final class Pcap {
  private static final int MAGIC = 0xa1b2c3d4;
  private static final int ETHERNET = 1;

  private Pcap() {}

  /** The frames of the gzip'ed pcap {@code name} among the test resources. */
  public static List<ByteBuffer> resource(String name) throws IOException {
    try (InputStream in = Pcap.class.getResourceAsStream("/captures/" + name)) {
      if (in == null) {
        throw new IOException("no resource captures/" + name);
      }
      return frames(new GZIPInputStream(in).readAllBytes());
    }
  }

  /** The frames of a pcap file, in order, big-endian. */
  public static List<ByteBuffer> frames(byte[] file) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    if (in.getInt(0) != MAGIC) {
      in.order(ByteOrder.BIG_ENDIAN);
    }
    if (in.getInt(0) != MAGIC || in.getInt(20) != ETHERNET) {
      throw new IOException("not a pcap file of Ethernet frames");
    }
    List<ByteBuffer> frames = new ArrayList<>();
    in.position(24);
    while (in.hasRemaining()) {
      int kept = in.getInt(in.position() + 8);
      if (kept != in.getInt(in.position() + 12)) {
        throw new IOException("frame " + frames.size() + " was cut short");
      }
      frames.add(in.slice(in.position() + 16, kept));
      in.position(in.position() + 16 + kept);
    }
    return frames;
  }
}
