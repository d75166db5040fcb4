package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Disk.Mode;
import io.remora.base.IoRequest.Op;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every disk does. */
class DiskContractTest {
  private static final int SIZE = 1 << 20;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void holdsWhatABytesArrayHolds(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      DiskFile file = created(ground);
      byte[] model = new byte[SIZE];
      SplittableRandom random = new SplittableRandom(42);
      int blocks = SIZE / file.blockSize();
      for (int i = 0; i < 200; i++) {
        int first = random.nextInt(blocks);
        int count = 1 + random.nextInt(Math.min(16, blocks - first));
        int from = first * file.blockSize();
        int length = count * file.blockSize();
        switch (random.nextInt(6)) {
          case 0, 1 -> {
            byte[] content = new byte[length];
            random.nextBytes(content);
            System.arraycopy(content, 0, model, from, length);
            assertThat(io(ground, file, Op.WRITE, from, length, content, random.nextBoolean())).isEqualTo(Status.OK);
          }
          case 2 -> {
            Arrays.fill(model, from, from + length, (byte) 0);
            assertThat(io(ground, file, Op.WRITE_ZEROES, from, length, new byte[0], random.nextBoolean()))
                .isEqualTo(Status.OK);
          }
          case 3 -> {
            Status status = io(ground, file, Op.DEALLOCATE, from, length, new byte[0], false);
            if (status == Status.OK) {
              Arrays.fill(model, from, from + length, (byte) 0);
            } else {
              assertThat(status).isEqualTo(Status.UNSUPPORTED);
              assertThat(file.canDeallocate()).isFalse();
            }
          }
          case 4 -> assertThat(io(ground, file, Op.FLUSH, 0, 0, new byte[0], false)).isEqualTo(Status.OK);
          default -> assertThat(read(ground, file, from, length)).as("%d+%d", from, length)
              .isEqualTo(Arrays.copyOfRange(model, from, from + length));
        }
      }
      assertThat(read(ground, file, 0, SIZE)).isEqualTo(model);
      ground.run(ground.loop(0), file::close);
      DiskFile again = ground.call(ground.loop(0), () -> ground.loop(0).disk().open(file.path(), Mode.READ));
      assertThat(again.createdEmpty()).isFalse();
      assertThat(again.sizeBytes()).isEqualTo(SIZE);
      assertThat(read(ground, again, 0, SIZE)).isEqualTo(model);
      byte[] block = new byte[file.blockSize()];
      assertThat(io(ground, again, Op.WRITE, 0, block.length, block, false)).isEqualTo(Status.READ_ONLY);
      assertThat(io(ground, again, Op.DEALLOCATE, 0, block.length, block, false)).isEqualTo(Status.READ_ONLY);
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void requestsThatDoNotFitAreRefused(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      DiskFile file = created(ground);
      int block = file.blockSize();
      byte[] content = new byte[2 * block];
      byte[] none = {};
      for (Op op : new Op[] {Op.READ, Op.WRITE}) {
        assertThat(io(ground, file, op, SIZE, block, content, false)).isEqualTo(Status.OUT_OF_RANGE);
        assertThat(io(ground, file, op, SIZE - block, content.length, content, false)).isEqualTo(Status.OUT_OF_RANGE);
        assertThat(io(ground, file, op, Long.MAX_VALUE - block + 1, block, content, false))
            .isEqualTo(Status.OUT_OF_RANGE);
        assertThat(io(ground, file, op, -block, block, content, false)).isEqualTo(Status.INVALID);
        assertThat(io(ground, file, op, block / 2, block, content, false)).isEqualTo(Status.INVALID);
        assertThat(io(ground, file, op, 0, block + 1, content, false)).isEqualTo(Status.INVALID);
      }
      assertThat(io(ground, file, Op.WRITE_ZEROES, 0, SIZE + block, none, false)).isEqualTo(Status.OUT_OF_RANGE);
      assertThat(io(ground, file, Op.WRITE_ZEROES, 0, -block, none, false)).isEqualTo(Status.INVALID);
      assertThat(io(ground, file, Op.WRITE_ZEROES, 0, 0, none, false)).isEqualTo(Status.OK);
      assertThat(io(ground, file, Op.COMPARE, 0, block, content, false)).isEqualTo(Status.UNSUPPORTED);
      assertThat(file.sizeBytes()).isEqualTo(SIZE);
      assertThat((long) ground.call(ground.loop(0), file::refreshSize)).isEqualTo(SIZE);
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void filesAreMadeAndGrowAndDoNotShrink(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Loop loop = ground.loop(0);
      Path path = ground.folder().resolve("grows");
      assertStatus(Status.NOT_FOUND, ground, () -> loop.disk().open(path, Mode.WRITE));
      assertStatus(Status.NOT_FOUND, ground, () -> loop.disk().open(path, Mode.READ));
      DiskFile file = ground.call(loop, () -> loop.disk().open(path, Mode.CREATE));
      assertThat(file.createdEmpty()).isTrue();
      assertThat(file.sizeBytes()).isZero();
      ground.run(loop, () -> file.grow(SIZE));
      ground.run(loop, () -> file.grow(2L * SIZE));
      assertThat(file.sizeBytes()).isEqualTo(2L * SIZE);
      assertThat(read(ground, file, SIZE, 4096)).containsOnly(0);
      assertStatus(Status.INVALID, ground, () -> {
        file.grow(SIZE);
        return 0;
      });
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void closingLetsWhatIsInFlightEnd(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      DiskFile file = created(ground);
      byte[] content = new byte[SIZE];
      Arrays.fill(content, (byte) 7);
      CompletableFuture<Status> write = begin(ground, file, Op.WRITE, 0, SIZE, content, true, true);
      assertThat(ground.await(write)).isEqualTo(Status.OK);
      assertThat(io(ground, file, Op.FLUSH, 0, 0, content, false)).isEqualTo(Status.ABORTED);
      DiskFile again = ground.call(ground.loop(1), () -> ground.loop(1).disk().open(file.path(), Mode.WRITE));
      assertThat(read(ground, again, ground.loop(1), 0, SIZE)).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void loopsOfOneProcessShareAFile(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      DiskFile file = created(ground);
      Loop other = ground.loop(1);
      DiskFile shared = ground.call(other, () -> other.disk().open(file.path(), Mode.WRITE));
      byte[] content = new byte[file.blockSize()];
      Arrays.fill(content, (byte) 9);
      assertThat(io(ground, file, Op.WRITE, 0, content.length, content, false)).isEqualTo(Status.OK);
      assertThat(read(ground, shared, other, 0, content.length)).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void smallFilesAreReplacedWhole(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Loop loop = ground.loop(0);
      Path path = ground.folder().resolve("small");
      ground.run(loop, () -> {
        Disk disk = loop.disk();
        assertThat(disk.load(path)).isEmpty();
        disk.store(path, new byte[] {1, 2, 3});
        disk.store(path, new byte[] {4});
        assertThat(disk.load(path)).hasValueSatisfying(content -> assertThat(content).containsExactly(4));
        disk.store(path, new byte[0]);
        assertThat(disk.load(path)).hasValueSatisfying(content -> assertThat(content).isEmpty());
        disk.delete(path);
        disk.delete(path);
        assertThat(disk.load(path)).isEmpty();
      });
      assertStatus(Status.INVALID, ground, () -> {
        loop.disk().store(path, new byte[Disk.SMALL_FILE_BYTES + 1]);
        return 0;
      });
    }
  }

  private static DiskFile created(Ground ground) {
    Loop loop = ground.loop(0);
    return ground.call(loop, () -> {
      DiskFile file = loop.disk().open(ground.folder().resolve("file"), Mode.CREATE);
      file.grow(SIZE);
      return file;
    });
  }

  private static byte[] read(Ground ground, DiskFile file, long offset, int length) {
    return read(ground, file, ground.loop(0), offset, length);
  }

  private static byte[] read(Ground ground, DiskFile file, Loop loop, long offset, int length) {
    CompletableFuture<byte[]> done = new CompletableFuture<>();
    ground.run(loop, () -> {
      // One byte off, so that direct I/O has to copy.
      MemorySegment memory = Arena.ofAuto().allocate(length + 1L).asSlice(1);
      IoRequest request = new IoRequest(read -> {
        assertThat(read.status).isEqualTo(Status.OK);
        done.complete(memory.toArray(ValueLayout.JAVA_BYTE));
      }).prepare(Op.READ, offset, length);
      request.sgl.add(memory, 0, length / 3);
      request.sgl.add(memory, length / 3, length - length / 3);
      file.submit(request);
    });
    return ground.await(done);
  }

  private static Status io(Ground ground, DiskFile file, Op op, long offset, long length, byte[] content, boolean fua) {
    return ground.await(begin(ground, file, op, offset, length, content, fua, false));
  }

  private static CompletableFuture<Status> begin(Ground ground, DiskFile file, Op op, long offset, long length,
      byte[] content, boolean fua, boolean close) {
    CompletableFuture<Status> done = new CompletableFuture<>();
    ground.run(ground.loop(0), () -> {
      IoRequest request = new IoRequest(ended -> done.complete(ended.status)).prepare(op, offset, length);
      request.fua = fua;
      if (request.hasData()) {
        MemorySegment memory = Arena.ofAuto().allocate(Math.max(content.length, length), 4096);
        MemorySegment.copy(content, 0, memory, ValueLayout.JAVA_BYTE, 0, content.length);
        request.sgl.add(memory, 0, length);
      }
      file.submit(request);
      assertThat(done).as("completion inside submit").isNotDone();
      if (close) {
        file.close();
      }
    });
    return done;
  }

  private static void assertStatus(Status status, Ground ground, Supplier<Object> body) {
    assertThatThrownBy(() -> ground.call(ground.loop(0), body)).isInstanceOfSatisfying(RemoraException.class,
        e -> assertThat(e.status()).isEqualTo(status));
  }
}
