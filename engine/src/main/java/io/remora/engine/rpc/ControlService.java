package io.remora.engine.rpc;

import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.remora.base.Addresses;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.engine.Attachment;
import io.remora.engine.DiskChoice;
import io.remora.engine.Node;
import io.remora.engine.PoolInfo;
import io.remora.engine.VolumeInfo;
import io.remora.v1.AttachVolumeRequest;
import io.remora.v1.CreatePoolRequest;
import io.remora.v1.CreateVolumeRequest;
import io.remora.v1.DeleteVolumeRequest;
import io.remora.v1.DeleteVolumeResponse;
import io.remora.v1.DestroyPoolRequest;
import io.remora.v1.DestroyPoolResponse;
import io.remora.v1.EngineGrpc;
import io.remora.v1.ExportPoolRequest;
import io.remora.v1.ExportPoolResponse;
import io.remora.v1.GetNodeRequest;
import io.remora.v1.GrowPoolRequest;
import io.remora.v1.ImportPoolRequest;
import io.remora.v1.ListPoolsRequest;
import io.remora.v1.ListPoolsResponse;
import io.remora.v1.ListVolumesRequest;
import io.remora.v1.ListVolumesResponse;
import io.remora.v1.Pool;
import io.remora.v1.PublishVolumeRequest;
import io.remora.v1.ResizeVolumeRequest;
import io.remora.v1.UnpublishVolumeRequest;
import io.remora.v1.Volume;
import java.net.InetSocketAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers the calls of the control interface. Called on virtual threads; hands each call to the node's control loop. */
final class ControlService extends EngineGrpc.EngineImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(ControlService.class);

  private final Node node;
  private final String version;

  ControlService(Node node, String version) {
    this.node = node;
    this.version = version;
  }

  @Override
  public void getNode(GetNodeRequest request, StreamObserver<io.remora.v1.Node> answer) {
    answer(answer, () -> CompletableFuture.completedFuture(node.info()), info -> Messages.of(info, version));
  }

  @Override
  public void createPool(CreatePoolRequest request, StreamObserver<Pool> answer) {
    answer(answer, () -> node.createPool(request.getName(), disks(request.getDisksList()),
        request.getClusterBytes(), request.getForce()), Messages::of);
  }

  @Override
  public void listPools(ListPoolsRequest request, StreamObserver<ListPoolsResponse> answer) {
    answer(answer, () -> CompletableFuture.completedFuture(node.pools()), ControlService::pools);
  }

  @Override
  public void growPool(GrowPoolRequest request, StreamObserver<Pool> answer) {
    answer(answer, () -> node.growPool(request.getName(), disks(request.getDisksList())), Messages::of);
  }

  @Override
  public void importPool(ImportPoolRequest request, StreamObserver<Pool> answer) {
    answer(answer, () -> node.importPool(paths(request.getPathsList())), Messages::of);
  }

  @Override
  public void exportPool(ExportPoolRequest request, StreamObserver<ExportPoolResponse> answer) {
    answer(answer, () -> node.exportPool(request.getName()), done -> ExportPoolResponse.getDefaultInstance());
  }

  @Override
  public void destroyPool(DestroyPoolRequest request, StreamObserver<DestroyPoolResponse> answer) {
    answer(answer, () -> node.destroyPool(request.getName()), done -> DestroyPoolResponse.getDefaultInstance());
  }

  @Override
  public void createVolume(CreateVolumeRequest request, StreamObserver<Volume> answer) {
    answer(answer, () -> node.createVolume(request.getPool(), request.getName(), uuid(request.getUuid()),
        request.getSizeBytes(), request.getThick()), Messages::of);
  }

  @Override
  public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> answer) {
    answer(answer, () -> CompletableFuture.completedFuture(node.volumes()), ControlService::volumes);
  }

  @Override
  public void resizeVolume(ResizeVolumeRequest request, StreamObserver<Volume> answer) {
    answer(answer, () -> node.resizeVolume(request.getVolume(), request.getSizeBytes()), Messages::of);
  }

  @Override
  public void deleteVolume(DeleteVolumeRequest request, StreamObserver<DeleteVolumeResponse> answer) {
    answer(answer, () -> node.deleteVolume(request.getVolume()), done -> DeleteVolumeResponse.getDefaultInstance());
  }

  @Override
  public void publishVolume(PublishVolumeRequest request, StreamObserver<Volume> answer) {
    answer(answer,
        () -> node.publishVolume(request.getVolume(), address(request.getListen()), request.getAllowedHostsList()),
        Messages::of);
  }

  @Override
  public void unpublishVolume(UnpublishVolumeRequest request, StreamObserver<Volume> answer) {
    answer(answer, () -> node.unpublishVolume(request.getVolume()), Messages::of);
  }

  /** The attachment lives as long as the call: a client that dies ends its connection and with it the call. */
  @Override
  public void attachVolume(AttachVolumeRequest request, StreamObserver<io.remora.v1.Attachment> answer) {
    ServerCallStreamObserver<io.remora.v1.Attachment> call = (ServerCallStreamObserver<io.remora.v1.Attachment>) answer;
    CompletableFuture<Attachment> attached = onLoop(() -> node.attachVolume(request.getVolume(), request.getHostNqn()));
    Context.current().addListener(context -> attached.thenAccept(this::detach), Runnable::run);
    try {
      Attachment attachment = attached.join();
      call.onNext(io.remora.v1.Attachment.newBuilder().setNqn(attachment.nqn())
          .setAddress(Addresses.format(attachment.address())).setVolume(Messages.of(attachment.volume())).build());
    } catch (RuntimeException e) {
      call.onError(Failures.answer(e));
    }
  }

  private void detach(Attachment attachment) {
    onLoop(() -> node.detachVolume(attachment)).exceptionally(e -> {
      LOG.warn("could not detach {}", attachment.nqn(), e);
      return null;
    });
  }

  private <T, M> void answer(StreamObserver<M> answer, Supplier<CompletableFuture<T>> operation,
      Function<T, M> message) {
    M result;
    try {
      result = message.apply(onLoop(operation).join());
    } catch (RuntimeException e) {
      LOG.debug("a call failed", e);
      answer.onError(Failures.answer(e));
      return;
    }
    answer.onNext(result);
    answer.onCompleted();
  }

  private <T> CompletableFuture<T> onLoop(Supplier<CompletableFuture<T>> operation) {
    CompletableFuture<T> result = new CompletableFuture<>();
    node.loop().execute(() -> {
      try {
        operation.get().whenComplete((value, failure) -> {
          if (failure == null) {
            result.complete(value);
          } else {
            result.completeExceptionally(failure);
          }
        });
      } catch (RuntimeException e) {
        result.completeExceptionally(e);
      }
    });
    return result;
  }

  private static ListPoolsResponse pools(List<PoolInfo> pools) {
    return ListPoolsResponse.newBuilder().addAllPools(pools.stream().map(Messages::of).toList()).build();
  }

  private static ListVolumesResponse volumes(List<VolumeInfo> volumes) {
    return ListVolumesResponse.newBuilder().addAllVolumes(volumes.stream().map(Messages::of).toList()).build();
  }

  private static List<Path> paths(List<String> texts) {
    try {
      return texts.stream().map(Path::of).toList();
    } catch (InvalidPathException e) {
      throw new RemoraException(Status.INVALID, "'" + e.getInput() + "' is not a path: " + e.getReason(), e);
    }
  }

  private static List<DiskChoice> disks(List<io.remora.v1.DiskChoice> messages) {
    return messages.stream()
        .map(disk -> new DiskChoice(paths(List.of(disk.getPath())).getFirst(), disk.getFileSizeBytes())).toList();
  }

  private static UUID uuid(String text) {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException e) {
      throw new RemoraException(Status.INVALID, "'" + text + "' is not a UUID", e);
    }
  }

  private static @Nullable InetSocketAddress address(String text) {
    return text.isEmpty() ? null : Addresses.parse(text);
  }
}
