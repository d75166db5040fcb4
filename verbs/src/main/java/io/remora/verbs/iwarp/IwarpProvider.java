package io.remora.verbs.iwarp;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * iWARP in user space: RDMA over TCP with nothing but sockets, on any machine, to peers with this provider, Linux's {@code siw} or a network card. One device, which reaches whatever
 * this machine reaches. From any thread.
 *
 * <p>RC only. Immediate data and atomics need a peer with this provider. Each RDMA port is the TCP port of that number. There is no waiting for receives: a message for which
 * none is posted ends the connection. The connecting end must be the first to send a message.
 *
 * <p>Linux's {@code siw} as shipped up to 6.12 may overlook a first message that follows within milliseconds of its MPA Reply, until a second one comes. Therefore the connecting end
 * pauses for {@link Config#foreignPauseNs} before it sends anything to a peer that is not of this provider. In the other direction nothing can be done here: a
 * message of a peer's application that siw lost must be sent again by that peer.
 */
public final class IwarpProvider implements Provider {
  static final String NAME = "iwarp";
  private static final String DEVICE = "iwarp0";

  /**
   * How this end speaks.
   *
   * @param maxFrameBytes the longest frame that is sent, in bytes, 128 to 65,528. Long frames cost least, and this provider and siw take them; network cards may want those that fit
   *     into a TCP segment: 1440, or 8940 with jumbo frames
   * @param crc asks for a CRC32C on every frame, both ways; when the peer asks, there is one in any case
   * @param peerToPeer asks, when it connects, to send the first frame by itself, so that the accepting end learns at once that the connection stands
   * @param revision of MPA, when it connects: 2, or 1 for old peers, without any agreement on reads at once
   * @param extensions offers and takes immediate data and atomics
   * @param foreignPauseNs how long it waits after the Reply of another kind of peer, in nanoseconds, 0 or more
   */
  public record Config(int maxFrameBytes, boolean crc, boolean peerToPeer, int revision, boolean extensions,
      long foreignPauseNs) {
    /** Frames of 64 KiB - 8, no checksums, peer-to-peer, revision 2, extensions, a pause of 10 ms. */
    public static final Config DEFAULT = new Config((64 << 10) - 8, false, true, 2, true, 10_000_000);

    /** Checks the ranges. */
    public Config {
      Check.argument(maxFrameBytes >= 128 && maxFrameBytes <= (64 << 10) - 8, "frames of %d bytes: 128 to 65528",
          maxFrameBytes);
      Check.argument(revision == 1 || revision == 2, "revision %d of MPA: 1 or 2", revision);
      Check.argument(foreignPauseNs >= 0, "a pause of %d ns", foreignPauseNs);
    }

    /** This with or without checksums. */
    public Config withCrc(boolean value) {
      return new Config(maxFrameBytes, value, peerToPeer, revision, extensions, foreignPauseNs);
    }

    /** This with other frames. */
    public Config withMaxFrameBytes(int value) {
      return new Config(value, crc, peerToPeer, revision, extensions, foreignPauseNs);
    }

    /** This with or without the first frame by itself. */
    public Config withPeerToPeer(boolean value) {
      return new Config(maxFrameBytes, crc, value, revision, extensions, foreignPauseNs);
    }

    /** This with another revision of MPA. */
    public Config withRevision(int value) {
      return new Config(maxFrameBytes, crc, peerToPeer, value, extensions, foreignPauseNs);
    }

    /** This with or without immediate data and atomics. */
    public Config withExtensions(boolean value) {
      return new Config(maxFrameBytes, crc, peerToPeer, revision, value, foreignPauseNs);
    }

    /** This with another pause. */
    public Config withForeignPauseNs(long value) {
      return new Config(maxFrameBytes, crc, peerToPeer, revision, extensions, value);
    }
  }

  private final Config config;

  /** With {@link Config#DEFAULT}. */
  public IwarpProvider() {
    this(Config.DEFAULT);
  }

  /** With {@code config}. */
  public IwarpProvider(Config config) {
    this.config = config;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public @Nullable String unavailable() {
    return null;
  }

  @Override
  public List<DeviceInfo> devices() {
    return List.of(new DeviceInfo(NAME, DEVICE, "iWARP", null, List.of(), null));
  }

  @Override
  public Context open(Loop loop, String device) {
    if (!device.equals(DEVICE)) {
      throw new RemoraException(Status.NOT_FOUND, "provider " + NAME + " has no device " + device + ", only " + DEVICE);
    }
    return new IwarpContext(loop, config, DEVICE);
  }
}
