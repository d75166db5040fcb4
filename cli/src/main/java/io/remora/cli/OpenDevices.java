package io.remora.cli;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockDevice;
import io.remora.block.FileDevice;
import io.remora.block.MemoryDevice;
import io.remora.block.NullDevice;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostUri;
import io.remora.nvme.multipath.MultipathUri;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.UUID;

/** Opens what a {@link DeviceUri} names. For a thread that may block. */
final class OpenDevices {
  private static final int BLOCK_BYTES = 512;

  private OpenDevices() {}

  /** An open device; closing it ends what was opened for it. */
  record Opened(BlockDevice device, Runnable end) implements AutoCloseable {
    @Override
    public void close() {
      end.run();
    }
  }

  /** Opens {@code uri} for I/O on {@code loops} with {@code depth} requests in flight on each. */
  static Opened open(DeviceUri uri, List<Loop> loops, int depth) {
    return switch (uri) {
      case DeviceUri.Memory memory -> new Opened(
          new MemoryDevice("mem", UUID.randomUUID(), memory.sizeBytes(), BLOCK_BYTES), () -> {});
      case DeviceUri.Null nothing -> new Opened(
          new NullDevice("null", UUID.randomUUID(), nothing.sizeBytes(), BLOCK_BYTES), () -> {});
      case DeviceUri.File file -> file(file, loops.getFirst());
      case DeviceUri.Remote remote -> remote(remote.uri(), loops, depth);
    };
  }

  private static Opened file(DeviceUri.File file, Loop loop) {
    FileDevice device = Futures.on(loop,
        () -> FileDevice.open(loop, file.path().toString(), file.path(), file.sizeBytes(), false));
    return new Opened(device, () -> Futures.on(loop, () -> {
      device.close();
      return true;
    }));
  }

  private static Opened remote(HostUri uri, List<Loop> loops, int depth) {
    HostOptions options = uri.options(resolve(uri.addresses().getFirst()));
    if (!uri.parameters().containsKey("depth")) {
      int wanted = Math.clamp(depth, options.depth(), HostOptions.MAX_DEPTH);
      options = options.withQueues(options.queues(), wanted);
    }
    if (MultipathUri.matches(uri)) {
      MultipathSession session = MultipathSession.connect(loops, uri, options);
      return new Opened(session.device(), session::close);
    }
    HostSession session = HostSession.connect(Transports.of(uri), loops, options, uri.nsid());
    return new Opened(session.device(), session::close);
  }

  /** Asks the name service. */
  static InetSocketAddress resolve(HostUri.Address address) {
    return new InetSocketAddress(resolve(address.host()), address.port());
  }

  private static InetAddress resolve(String host) {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new RemoraException(Status.NOT_FOUND, "there is no machine " + host + " (name service)", e);
    }
  }
}
