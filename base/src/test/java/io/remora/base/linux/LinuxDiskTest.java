package io.remora.base.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.Ground;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is particular to {@link LinuxDisk}: locks, kinds of files, what a crash may leave behind. */
class LinuxDiskTest {
  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path directory;

  @Test
  void theFileSystemUnderTheTestsIsSaid() {
    try (Ground.Real world = new Ground.Real(Loops.Backend.AUTO, directory)) {
      Loop loop = world.loop(0);
      DiskFile file = world.call(loop, () -> loop.disk().open(directory.resolve("x"), Disk.Mode.CREATE));
      assertThat(file.toString()).matches(".*x \\((direct|buffered)\\)");
      assertThat(file.memoryAlignment() > 1).isEqualTo(file.direct());
    }
  }

  @ParameterizedTest
  @EnumSource(Loops.Backend.class)
  void aFileThatAnotherProcessWritesIsBusy(Loops.Backend backend) throws IOException, InterruptedException {
    Path path = Files.createFile(directory.resolve("busy"));
    Process holder = new ProcessBuilder("flock", "-x", path.toString(), "-c", "echo locked; read line")
        .redirectErrorStream(true).start();
    try (Ground.Real world = new Ground.Real(backend, directory)) {
      assertThat(holder.inputReader().readLine()).isEqualTo("locked");
      Loop loop = world.loop(0);
      assertThatThrownBy(() -> world.call(loop, () -> loop.disk().open(path, Disk.Mode.WRITE)))
          .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.BUSY))
          .hasMessageContaining(path.toString());
      world.run(loop, () -> loop.disk().open(path, Disk.Mode.READ).close());
      holder.getOutputStream().close();
      assertThat(holder.waitFor(10, TimeUnit.SECONDS)).isTrue();
      world.run(loop, () -> loop.disk().open(path, Disk.Mode.WRITE).close());
    } finally {
      holder.destroyForcibly();
    }
  }

  @Test
  void whoInspectsKeepsWritersOutAndLetsOthersInspect() throws IOException, InterruptedException {
    Path path = Files.createFile(directory.resolve("inspected"));
    try (Ground.Real world = new Ground.Real(Loops.Backend.AUTO, directory);
        Ground.Real other = new Ground.Real(Loops.Backend.AUTO, directory)) {
      Loop loop = world.loop(0);
      Loop otherLoop = other.loop(0);
      DiskFile one = world.call(loop, () -> loop.disk().open(path, Disk.Mode.INSPECT));
      DiskFile two = other.call(otherLoop, () -> otherLoop.disk().open(path, Disk.Mode.INSPECT));
      assertThat(lockable(path)).isFalse();
      assertThat(io(world, loop, one, IoRequest.Op.WRITE_ZEROES, false)).isEqualTo(Status.READ_ONLY);
      assertThatThrownBy(() -> other.call(otherLoop, () -> otherLoop.disk().open(path, Disk.Mode.WRITE)))
          .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.BUSY));
      world.run(loop, one::close);
      other.run(otherLoop, two::close);
      assertThat(lockable(path)).isTrue();
      DiskFile writer = world.call(loop, () -> loop.disk().open(path, Disk.Mode.WRITE));
      assertThatThrownBy(() -> other.call(otherLoop, () -> otherLoop.disk().open(path, Disk.Mode.INSPECT)))
          .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.BUSY))
          .hasMessageContaining("open for writing");
      world.run(loop, writer::close);
    }
  }

  @Test
  void theLockGoesWithTheLastUser() throws IOException, InterruptedException {
    Path path = Files.createFile(directory.resolve("lock"));
    try (Ground.Real world = new Ground.Real(Loops.Backend.AUTO, directory)) {
      Loop first = world.loop(0);
      Loop second = world.loop(1);
      DiskFile one = world.call(first, () -> first.disk().open(path, Disk.Mode.WRITE));
      DiskFile two = world.call(second, () -> second.disk().open(path, Disk.Mode.WRITE));
      assertThat(lockable(path)).isFalse();
      world.run(first, one::close);
      assertThat(lockable(path)).isFalse();
      world.run(second, two::close);
      assertThat(lockable(path)).isTrue();
    }
  }

  private static boolean lockable(Path path) throws IOException, InterruptedException {
    return new ProcessBuilder("flock", "-n", path.toString(), "-c", "true").start().waitFor() == 0;
  }

  @Test
  void directoriesAndDevicesOfCharactersAreNoDisks() {
    try (Ground.Real world = new Ground.Real(Loops.Backend.AUTO, directory)) {
      Loop loop = world.loop(0);
      for (Path path : new Path[] {directory, Path.of("/dev/null")}) {
        assertThatThrownBy(() -> world.call(loop, () -> loop.disk().open(path, Disk.Mode.READ)))
            .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.INVALID));
      }
    }
  }

  @Test
  void storingLeavesNothingBeside() throws IOException {
    try (Ground.Real world = new Ground.Real(Loops.Backend.AUTO, directory)) {
      Loop loop = world.loop(0);
      world.run(loop, () -> loop.disk().store(directory.resolve("state"), new byte[100_000]));
      assertThatThrownBy(() -> world.run(loop, () -> loop.disk().store(directory.resolve("none/state"), new byte[1])))
          .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.NOT_FOUND));
    }
    try (Stream<Path> all = Files.list(directory)) {
      assertThat(all).containsExactly(directory.resolve("state"));
    }
    assertThat(Files.size(directory.resolve("state"))).isEqualTo(100_000);
  }

  @ParameterizedTest
  @EnumSource(Loops.Backend.class)
  void afterAFailedFlushNoneSucceedsUntilTheFileIsOpenedAnew(Loops.Backend backend) {
    Path path = directory.resolve("lost");
    try (Ground.Real world = new Ground.Real(backend, directory)) {
      Loop first = world.loop(0);
      Loop second = world.loop(1);
      DiskFile one = world.call(first, () -> grown(first.disk().open(path, Disk.Mode.CREATE)));
      DiskFile two = world.call(second, () -> second.disk().open(path, Disk.Mode.WRITE));
      assertThat(io(world, first, one, IoRequest.Op.FLUSH, false)).isEqualTo(Status.OK);
      world.run(first, ((LinuxFile) one)::flushFailed);
      assertThat(io(world, first, one, IoRequest.Op.FLUSH, false)).isEqualTo(Status.MEDIUM_ERROR);
      assertThat(io(world, second, two, IoRequest.Op.FLUSH, false)).isEqualTo(Status.MEDIUM_ERROR);
      assertThat(io(world, second, two, IoRequest.Op.WRITE_ZEROES, true)).isEqualTo(Status.MEDIUM_ERROR);
      assertThat(io(world, second, two, IoRequest.Op.WRITE_ZEROES, false)).isEqualTo(Status.OK);
      world.run(first, one::close);
      world.run(second, two::close);
      DiskFile anew = world.call(first, () -> first.disk().open(path, Disk.Mode.WRITE));
      assertThat(io(world, first, anew, IoRequest.Op.FLUSH, false)).isEqualTo(Status.OK);
    }
  }

  @ParameterizedTest
  @EnumSource(Loops.Backend.class)
  void aBlockDeviceIsADisk(Loops.Backend backend) throws IOException, InterruptedException {
    Path image = Files.createFile(directory.resolve("image"));
    Files.write(image, new byte[4 << 20]);
    Process setup = new ProcessBuilder("losetup", "-f", "--show", image.toString()).start();
    String name = setup.inputReader().readLine();
    assumeTrue(setup.waitFor() == 0 && name != null, "losetup is not permitted here");
    try (Ground.Real world = new Ground.Real(backend, directory)) {
      Path device = Path.of(name);
      Loop loop = world.loop(0);
      DiskFile file = world.call(loop, () -> loop.disk().open(device, Disk.Mode.WRITE));
      assertThat(file.sizeBytes()).isEqualTo(4 << 20);
      assertThat(file.direct()).isTrue();
      assertThat(file.createdEmpty()).isFalse();
      for (IoRequest.Op op : List.of(IoRequest.Op.WRITE, IoRequest.Op.READ, IoRequest.Op.WRITE_ZEROES,
          IoRequest.Op.FLUSH)) {
        assertThat(io(world, loop, file, op, op == IoRequest.Op.WRITE)).as("%s", op).isEqualTo(Status.OK);
      }
      assertThat(io(world, loop, file, IoRequest.Op.DEALLOCATE, false))
          .isEqualTo(file.canDeallocate() ? Status.OK : Status.UNSUPPORTED);
      assertThatThrownBy(() -> world.run(loop, () -> file.grow(8 << 20))).isInstanceOfSatisfying(RemoraException.class,
          e -> assertThat(e.status()).isEqualTo(Status.UNSUPPORTED));
      try (Ground.Real others = new Ground.Real(backend, directory)) {
        assertThatThrownBy(() -> others.call(others.loop(0), () -> others.loop(0).disk().open(device, Disk.Mode.WRITE)))
            .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.BUSY));
      }
      world.run(loop, file::close);
    } finally {
      new ProcessBuilder("losetup", "-d", name).start().waitFor();
    }
  }

  private static DiskFile grown(DiskFile file) {
    file.grow(1 << 20);
    return file;
  }

  /** One operation on the first 4 KiB. */
  private static Status io(Ground world, Loop loop, DiskFile file, IoRequest.Op op, boolean fua) {
    CompletableFuture<Status> done = new CompletableFuture<>();
    world.run(loop, () -> {
      IoRequest request = new IoRequest(r -> done.complete(r.status)).prepare(op, 0, 4096);
      request.fua = fua;
      if (request.hasData()) {
        request.sgl.add(Arena.ofAuto().allocate(4096, 4096), 0, 4096);
      }
      file.submit(request);
    });
    return world.await(done);
  }
}
