package io.remora.engine.rpc;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.engine.Node;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Serves the control interface on a Unix socket in the node's data folder. Threads of its own; started and closed by a thread
 * that may block.
 */
public final class ControlServer implements AutoCloseable {
  /** The socket's name in the data folder. */
  static final String SOCKET = "control.sock";

  private static final int MAX_PATH_BYTES = 107;
  private static final int MAX_MESSAGE_BYTES = 16 << 20;
  private static final long DRAIN_SECONDS = 5;

  private final Path socket;
  private final EventLoopGroup group;
  private final ExecutorService calls;
  private final Server server;

  /**
   * Serves {@code node}.
   *
   * @throws RemoraException when the socket cannot be made
   */
  public ControlServer(Node node, String version) {
    Path folder = node.info().dataFolder();
    this.socket = folder.resolve(SOCKET);
    checkLength(socket);
    this.group = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("control", true),
        NioIoHandler.newFactory());
    this.calls = Executors.newVirtualThreadPerTaskExecutor();
    try {
      this.server = listen(folder, new ControlService(node, version));
    } catch (IOException e) {
      group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      calls.close();
      throw new RemoraException(Status.MEDIUM_ERROR, "cannot make the control socket " + socket + ": " + e, e);
    }
  }

  /**
   * Binds in a folder that only the owner can enter, and moves the socket to its place when its mode is right: so nobody else
   * can connect at any moment, and a stale socket of an earlier life is replaced.
   */
  private Server listen(Path folder, ControlService service) throws IOException {
    Path hidden = folder.resolve("new");
    Path fresh = hidden.resolve("sock");
    Files.deleteIfExists(fresh);
    Files.deleteIfExists(hidden);
    Files.createDirectory(hidden, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Server listening = NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(fresh))
        .channelType(NioServerDomainSocketChannel.class).bossEventLoopGroup(group).workerEventLoopGroup(group)
        .executor(calls).maxInboundMessageSize(MAX_MESSAGE_BYTES).addService(service).build().start();
    Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
    try {
      Files.move(fresh, socket, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(fresh, socket, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.delete(hidden);
    return listening;
  }

  static void checkLength(Path socket) {
    int bytes = socket.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    if (bytes > MAX_PATH_BYTES) {
      throw new RemoraException(Status.INVALID,
          "the path " + socket + " has " + bytes + " bytes and a Unix socket's may have "
              + MAX_PATH_BYTES + ": use a data folder with a shorter path");
    }
  }

  /** Takes no more calls, waits for those that run, and removes the socket. */
  @Override
  public void close() {
    server.shutdown();
    try {
      if (!server.awaitTermination(DRAIN_SECONDS, TimeUnit.SECONDS)) {
        server.shutdownNow();
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    calls.shutdownNow();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    try {
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw new RemoraException(Status.MEDIUM_ERROR, "cannot remove the control socket " + socket + ": " + e, e);
    }
  }
}
