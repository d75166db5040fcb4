package io.remora.engine.rpc;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.remora.base.Addresses;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.engine.DiskChoice;
import io.remora.engine.PoolInfo;
import io.remora.engine.RdmaInfo;
import io.remora.engine.VolumeInfo;
import io.remora.v1.AttachVolumeRequest;
import io.remora.v1.CreatePoolRequest;
import io.remora.v1.CreateVolumeRequest;
import io.remora.v1.DeleteVolumeRequest;
import io.remora.v1.DestroyPoolRequest;
import io.remora.v1.EngineGrpc;
import io.remora.v1.ExportPoolRequest;
import io.remora.v1.GetNodeRequest;
import io.remora.v1.GrowPoolRequest;
import io.remora.v1.ImportPoolRequest;
import io.remora.v1.ListPoolsRequest;
import io.remora.v1.ListVolumesRequest;
import io.remora.v1.PublishVolumeRequest;
import io.remora.v1.ResizeVolumeRequest;
import io.remora.v1.UnpublishVolumeRequest;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Tells a node on this machine what to do, by the socket in its data folder. Calls block; failures are
 * {@link RemoraException}s with the node's own status and message. From any thread.
 */
public final class ControlClient implements AutoCloseable {
  private static final long TIMEOUT_S = 120;

  /** What a node says of itself. */
  public record NodeSummary(UUID uuid, String version, Path dataFolder, long pid, List<InetSocketAddress> listeners,
      RdmaInfo rdma, long startedWallMs, int loops) {}

  /** A volume that is published to one host until this is closed. */
  public static final class Lease implements AutoCloseable {
    private final Context.CancellableContext call;
    private final String nqn;
    private final InetSocketAddress address;
    private final VolumeInfo volume;

    private Lease(Context.CancellableContext call, io.remora.v1.Attachment attachment) {
      this.call = call;
      this.nqn = attachment.getNqn();
      this.address = Addresses.parse(attachment.getAddress());
      this.volume = Messages.volume(attachment.getVolume());
    }

    /** The name of its subsystem. */
    public String nqn() {
      return nqn;
    }

    /** Where to connect. */
    public InetSocketAddress address() {
      return address;
    }

    /** The volume. */
    public VolumeInfo volume() {
      return volume;
    }

    @Override
    public void close() {
      call.cancel(null);
    }
  }

  private final String node;
  private final EventLoopGroup group;
  private final ManagedChannel channel;

  /**
   * A client of the node whose data folder is {@code folder}.
   *
   * @throws RemoraException {@link Status#NOT_FOUND} when no node has ever run there or it was stopped
   */
  public ControlClient(Path folder) {
    Path socket = folder.resolve(ControlServer.SOCKET);
    ControlServer.checkLength(socket);
    if (!Files.exists(socket)) {
      throw new RemoraException(Status.NOT_FOUND, "no node runs on " + folder + ": start one with 'remora up --data "
          + folder + "', or name another folder with --data or REMORA_DATA");
    }
    this.node = "the node on " + folder;
    this.group = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("control-client", true),
        NioIoHandler.newFactory());
    this.channel = NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
        .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class).eventLoopGroup(group).usePlaintext()
        .overrideAuthority("localhost").directExecutor().build();
  }

  /** Whether a node serves, or was killed, in {@code folder}. */
  public static boolean exists(Path folder) {
    return Files.exists(folder.resolve(ControlServer.SOCKET));
  }

  /** Removes the socket that a killed node has left in {@code folder}. */
  public static void forget(Path folder) throws IOException {
    Files.deleteIfExists(folder.resolve(ControlServer.SOCKET));
  }

  /** What the node says of itself. */
  public NodeSummary node() {
    io.remora.v1.Node answer = call(stub -> stub.getNode(GetNodeRequest.getDefaultInstance()));
    return new NodeSummary(UUID.fromString(answer.getUuid()), answer.getVersion(), Path.of(answer.getDataFolder()),
        answer.getPid(), answer.getListenersList().stream().map(Addresses::parse).toList(),
        Messages.rdma(answer.getRdma()), answer.getStartedUnixMs(), answer.getLoops());
  }

  /** Makes a pool; {@code clusterBytes} 0: the default; {@code force}: on disks that hold another pool, too. */
  public PoolInfo createPool(String name, List<DiskChoice> disks, long clusterBytes, boolean force) {
    return Messages.pool(call(stub -> stub.createPool(CreatePoolRequest.newBuilder().setName(name)
        .addAllDisks(messages(disks)).setClusterBytes(clusterBytes).setForce(force).build())));
  }

  /** All pools. */
  public List<PoolInfo> pools() {
    return call(stub -> stub.listPools(ListPoolsRequest.getDefaultInstance())).getPoolsList().stream()
        .map(Messages::pool).toList();
  }

  /** Takes up what the disks have gained, after making {@code disks}, its files, longer. */
  public PoolInfo growPool(String name, List<DiskChoice> disks) {
    return Messages.pool(
        call(stub -> stub.growPool(GrowPoolRequest.newBuilder().setName(name).addAllDisks(messages(disks)).build())));
  }

  /** Opens a pool that is on these disks already. */
  public PoolInfo importPool(List<Path> paths) {
    return Messages.pool(
        call(stub -> stub.importPool(
            ImportPoolRequest.newBuilder().addAllPaths(paths.stream().map(ControlClient::text).toList()).build())));
  }

  /** Closes a pool and forgets it. */
  public void exportPool(String name) {
    call(stub -> stub.exportPool(ExportPoolRequest.newBuilder().setName(name).build()));
  }

  /** Wipes a pool. */
  public void destroyPool(String name) {
    call(stub -> stub.destroyPool(DestroyPoolRequest.newBuilder().setName(name).build()));
  }

  /** Makes a volume. */
  public VolumeInfo createVolume(String pool, String name, UUID uuid, long sizeBytes, boolean thick) {
    return Messages.volume(call(stub -> stub.createVolume(CreateVolumeRequest.newBuilder().setPool(pool).setName(name)
        .setUuid(uuid.toString()).setSizeBytes(sizeBytes).setThick(thick).build())));
  }

  /** All volumes. */
  public List<VolumeInfo> volumes() {
    return call(stub -> stub.listVolumes(ListVolumesRequest.getDefaultInstance())).getVolumesList().stream()
        .map(Messages::volume).toList();
  }

  /** Makes a volume larger. */
  public VolumeInfo resizeVolume(String volume, long sizeBytes) {
    return Messages.volume(call(stub -> stub
        .resizeVolume(ResizeVolumeRequest.newBuilder().setVolume(volume).setSizeBytes(sizeBytes).build())));
  }

  /** Deletes a volume and what it holds. */
  public void deleteVolume(String volume) {
    call(stub -> stub.deleteVolume(DeleteVolumeRequest.newBuilder().setVolume(volume).build()));
  }

  /** Publishes a volume; {@code listen} null: where the node listens. */
  public VolumeInfo publishVolume(String volume, @Nullable InetSocketAddress listen, List<String> allowedHosts) {
    return Messages.volume(call(stub -> stub.publishVolume(PublishVolumeRequest.newBuilder().setVolume(volume)
        .setListen(listen == null ? "" : Addresses.format(listen)).addAllAllowedHosts(allowedHosts).build())));
  }

  /** Takes a volume from its hosts. */
  public VolumeInfo unpublishVolume(String volume) {
    return Messages.volume(
        call(stub -> stub.unpublishVolume(UnpublishVolumeRequest.newBuilder().setVolume(volume).build())));
  }

  /** Publishes a volume to one host until the lease is closed, or this process ends. */
  public Lease attachVolume(String volume, String hostNqn) {
    Context.CancellableContext context = Context.current().withCancellation();
    Context before = context.attach();
    try {
      Iterator<io.remora.v1.Attachment> answers = EngineGrpc.newBlockingStub(channel)
          .attachVolume(AttachVolumeRequest.newBuilder().setVolume(volume).setHostNqn(hostNqn).build());
      return new Lease(context, answers.next());
    } catch (StatusRuntimeException e) {
      context.cancel(null);
      throw Failures.failure(e, node);
    } finally {
      context.detach(before);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  private <T> T call(Function<EngineGrpc.EngineBlockingStub, T> call) {
    try {
      return call.apply(EngineGrpc.newBlockingStub(channel).withDeadline(Deadline.after(TIMEOUT_S, TimeUnit.SECONDS)));
    } catch (StatusRuntimeException e) {
      throw Failures.failure(e, node);
    }
  }

  private static List<io.remora.v1.DiskChoice> messages(List<DiskChoice> disks) {
    return disks.stream().map(disk -> io.remora.v1.DiskChoice.newBuilder().setPath(text(disk.path()))
        .setFileSizeBytes(disk.fileSizeBytes()).build()).toList();
  }

  /** The node may run in another folder than this program, and must know one disk by one name. */
  private static String text(Path path) {
    Path absolute = path.toAbsolutePath().normalize();
    try {
      return absolute.toRealPath().toString();
    } catch (IOException e) {
      Path parent = absolute.getParent();
      try {
        return parent == null ? absolute.toString() : parent.toRealPath().resolve(absolute.getFileName()).toString();
      } catch (IOException none) {
        return absolute.toString();
      }
    }
  }
}
