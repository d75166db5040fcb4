package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest.Op;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What every {@link Disk} and {@link DiskFile} promises, as far as no power fails. */
@ParameterizedClass
@MethodSource("kinds")
class DiskTest {
  private static final int SIZE = 4 << 20;
  private static final Path MEMORY = Path.of("/dev/shm");

  private final Arena arena = Arena.ofShared();
  @SuppressWarnings("NullAway.Init")
  private Ground world;
  @SuppressWarnings("NullAway.Init")
  private Loop loop;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  private final Ground.Kind kind;

  DiskTest(Ground.Kind kind) {
    this.kind = kind;
  }

  /** Every ground, and the real ones on tmpfs too, which takes no direct I/O and cannot zero a range. */
  static Stream<Ground.Kind> kinds() {
    return Ground.all().flatMap(kind -> kind.name().startsWith("real") && Files.isWritable(MEMORY)
        ? Stream.of(kind, new Ground.Kind(kind + " in memory", folder -> kind.lay().apply(inMemory())))
        : Stream.of(kind));
  }

  private static Path inMemory() {
    try {
      return Files.createTempDirectory(MEMORY, "remora");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeEach
  void begin() {
    world = kind.lay().apply(folder);
    loop = world.loop(0);
  }

  @AfterEach
  void end() throws IOException {
    world.close();
    arena.close();
    if (world.folder().startsWith(MEMORY)) {
      try (Stream<Path> all = Files.list(world.folder())) {
        for (Path file : all.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(world.folder());
    }
  }

  @Test
  void aNewFileIsEmptyAndGrowsWithZeros() {
    DiskFile file = open("new", Disk.Mode.CREATE);
    assertThat(file.sizeBytes()).isZero();
    assertThat(file.createdEmpty()).isTrue();
    assertThat(file.blockSize()).isIn(512, 1024, 2048, 4096);
    assertThat(Integer.bitCount(file.memoryAlignment())).isEqualTo(1);
    grow(file, SIZE);
    assertThat(file.sizeBytes()).isEqualTo(SIZE);
    assertThat(Arrays.equals(read(file, 0, SIZE), new byte[SIZE])).isTrue();
    DiskFile again = open("new", Disk.Mode.READ);
    assertThat(again.sizeBytes()).isEqualTo(SIZE);
  }

  @Test
  void holdsWhatAnArrayHolds() {
    DiskFile file = made("data");
    long seed = 99;
    byte[] model = new byte[SIZE];
    Random random = new Random(seed);
    int block = file.blockSize();
    for (int i = 0; i < 200; i++) {
      int offset = random.nextInt(SIZE / block) * block;
      int length = Math.min(SIZE - offset, (1 + random.nextInt(64)) * block);
      switch (random.nextInt(6)) {
        case 0, 1 -> {
          byte[] content = new byte[length];
          random.nextBytes(content);
          assertThat(write(file, offset, content, random.nextBoolean())).isEqualTo(Status.OK);
          System.arraycopy(content, 0, model, offset, length);
        }
        case 2 -> {
          assertThat(submit(file, Op.WRITE_ZEROES, offset, length, new Sgl(), random.nextBoolean()))
              .isEqualTo(Status.OK);
          Arrays.fill(model, offset, offset + length, (byte) 0);
        }
        case 3 -> {
          if (submit(file, Op.DEALLOCATE, offset, length).isOk()) {
            Arrays.fill(model, offset, offset + length, (byte) 0);
          } else {
            assertThat(file.canDeallocate()).isFalse();
          }
        }
        case 4 -> assertThat(submit(file, Op.FLUSH, 0, 0)).isEqualTo(Status.OK);
        default -> assertThat(Arrays.equals(read(file, offset, length), 0, length, model, offset, offset + length))
            .as("seed %d, step %d", seed, i).isTrue();
      }
    }
    world.run(loop, file::close);
    DiskFile again = open("data", Disk.Mode.READ);
    assertThat(again.createdEmpty()).isFalse();
    assertThat(Arrays.equals(read(again, 0, SIZE), model)).as("seed %d", seed).isTrue();
  }

  @Test
  void scatteredAndUnalignedMemoryIsRead() {
    DiskFile file = made("scattered");
    long seed = 7;
    Random random = new Random(seed);
    int block = file.blockSize();
    MemorySegment memory = arena.allocate(SIZE + 8192, 4096);
    for (int round = 0; round < 40; round++) {
      int length = (1 + random.nextInt(SIZE / 2 / block)) * block;
      long offset = (long) random.nextInt((SIZE - length) / block) * block;
      byte[] content = new byte[length];
      random.nextBytes(content);
      int unit = round % 2 == 0 ? 1 : block;
      Sgl list = scatter(memory, length, unit, random);
      list.copyFrom(0, MemorySegment.ofArray(content), 0, length);
      assertThat(submit(file, Op.WRITE, offset, length, list, false)).isEqualTo(Status.OK);
      assertThat(Arrays.equals(read(file, offset, length), content)).as("seed %d, round %d", seed, round).isTrue();
      Sgl back = scatter(memory, length, unit, random);
      assertThat(submit(file, Op.READ, offset, length, back, false)).isEqualTo(Status.OK);
      byte[] got = new byte[length];
      back.copyTo(0, MemorySegment.ofArray(got), 0, length);
      assertThat(Arrays.equals(got, content)).as("seed %d, round %d", seed, round).isTrue();
    }
  }

  /** Pieces of {@code memory} of random lengths, multiples of {@code unit}; many of them, or few. */
  private static Sgl scatter(MemorySegment memory, int length, int unit, Random random) {
    Sgl list = new Sgl();
    int most = random.nextBoolean() ? 4096 : 200_000;
    long at = unit == 1 ? random.nextInt(4096) : 0;
    long left = length;
    while (left > 0) {
      long take = Math.min(left, (long) unit * (1 + random.nextInt(Math.max(1, most / unit))));
      list.add(memory, at, take);
      at += take;
      left -= take;
    }
    return list;
  }

  @Test
  void zeroesAndDeallocatedRangesReadAsZeros() {
    DiskFile file = made("zeroes");
    byte[] ones = new byte[SIZE];
    Arrays.fill(ones, (byte) 1);
    assertThat(write(file, 0, ones, false)).isEqualTo(Status.OK);
    int block = file.blockSize();
    assertThat(submit(file, Op.WRITE_ZEROES, block, 3L * block)).isEqualTo(Status.OK);
    Arrays.fill(ones, block, 4 * block, (byte) 0);
    assertThat(submit(file, Op.WRITE_ZEROES, 1 << 20, 1 << 20, new Sgl(), true)).isEqualTo(Status.OK);
    Arrays.fill(ones, 1 << 20, 2 << 20, (byte) 0);
    Status deallocated = submit(file, Op.DEALLOCATE, 2 << 20, 1 << 20);
    assertThat(deallocated).isEqualTo(file.canDeallocate() ? Status.OK : Status.UNSUPPORTED);
    if (file.canDeallocate()) {
      Arrays.fill(ones, 2 << 20, 3 << 20, (byte) 0);
    }
    assertThat(Arrays.equals(read(file, 0, SIZE), ones)).isTrue();
  }

  @Test
  void whatDoesNotFitIsRefused() {
    DiskFile file = made("fit");
    int block = file.blockSize();
    for (Op op : List.of(Op.READ, Op.WRITE)) {
      assertThat(transfer(file, op, SIZE, block)).isEqualTo(Status.OUT_OF_RANGE);
      assertThat(transfer(file, op, SIZE - block, 2 * block)).isEqualTo(Status.OUT_OF_RANGE);
      assertThat(transfer(file, op, Long.MAX_VALUE - block + 1, block)).isEqualTo(Status.OUT_OF_RANGE);
      assertThat(transfer(file, op, -block, block)).isEqualTo(Status.INVALID);
      assertThat(transfer(file, op, block / 2, block)).isEqualTo(Status.INVALID);
      assertThat(transfer(file, op, 0, block + 1)).isEqualTo(Status.INVALID);
    }
    assertThat(submit(file, Op.WRITE_ZEROES, 1, block)).isEqualTo(Status.INVALID);
    assertThat(submit(file, Op.WRITE_ZEROES, 0, 1)).isEqualTo(Status.INVALID);
    assertThat(submit(file, Op.WRITE_ZEROES, -block, block)).isEqualTo(Status.INVALID);
    assertThat(submit(file, Op.WRITE_ZEROES, SIZE, block)).isEqualTo(Status.OUT_OF_RANGE);
    assertThat(submit(file, Op.WRITE_ZEROES, SIZE - block, 2L * block)).isEqualTo(Status.OUT_OF_RANGE);
    assertThat(submit(file, Op.WRITE_ZEROES, block, Long.MAX_VALUE & -block)).isEqualTo(Status.OUT_OF_RANGE);
    assertThat(submit(file, Op.READ, 0, block)).as("an empty list").isEqualTo(Status.INVALID);
    assertThat(submit(file, Op.COMPARE, 0, 0)).isEqualTo(Status.UNSUPPORTED);
    assertThat(submit(file, Op.WRITE_ZEROES, 0, 0)).isEqualTo(Status.OK);
    assertThat((long) world.call(loop, file::refreshSize)).isEqualTo(SIZE);
    assertThatThrownBy(() -> grow(file, SIZE / 2)).isInstanceOfSatisfying(RemoraException.class,
        e -> assertThat(e.status()).isEqualTo(Status.INVALID));
  }

  @Test
  void aFileOpenForReadingTakesNoWrites() {
    made("readonly");
    DiskFile file = open("readonly", Disk.Mode.READ);
    int block = file.blockSize();
    assertThat(submit(file, Op.WRITE_ZEROES, 0, block)).isEqualTo(Status.READ_ONLY);
    assertThat(submit(file, Op.DEALLOCATE, 0, block)).isEqualTo(Status.READ_ONLY);
    assertThat(submit(file, Op.FLUSH, 0, 0)).isEqualTo(Status.OK);
    assertThatThrownBy(() -> grow(file, 2 * SIZE)).isInstanceOfSatisfying(RemoraException.class,
        e -> assertThat(e.status()).isEqualTo(Status.READ_ONLY));
  }

  @Test
  void aClosedFileTakesNothingButFinishesWhatItHas() {
    DiskFile file = made("closed");
    int block = file.blockSize();
    MemorySegment memory = arena.allocate(block, 4096);
    List<Status> done = new ArrayList<>();
    world.run(loop, () -> {
      for (int i = 0; i < 100; i++) {
        IoRequest request = new IoRequest(r -> done.add(r.status)).prepare(Op.WRITE, (long) i * block, block);
        request.sgl.add(memory, 0, block);
        file.submit(request);
      }
      file.close();
      file.close();
      assertThat(done).isEmpty();
    });
    world.until(loop, "100 writes", () -> done.size() == 100);
    assertThat(done).containsOnly(Status.OK);
    assertThat(submit(file, Op.FLUSH, 0, 0)).isEqualTo(Status.ABORTED);
  }

  @Test
  void moreRequestsThanAKernelTakesAreServedInTheEnd() {
    DiskFile file = made("many");
    int block = file.blockSize();
    int count = 2000;
    grow(file, Math.max(SIZE, (long) count * block));
    MemorySegment memory = arena.allocate((long) count * block, 4096);
    for (int i = 0; i < count; i++) {
      memory.set(ValueLayout.JAVA_INT, (long) i * block, i);
    }
    int[] done = new int[1];
    List<Status> failed = new ArrayList<>();
    IoRequest.Completion completion = r -> {
      done[0]++;
      if (!r.status.isOk()) {
        failed.add(r.status);
      }
    };
    for (Op op : List.of(Op.WRITE, Op.READ)) {
      done[0] = 0;
      world.run(loop, () -> {
        for (int i = 0; i < count; i++) {
          IoRequest request = new IoRequest(completion).prepare(op, (long) i * block, block);
          request.sgl.add(memory, (long) i * block, block);
          file.submit(request);
        }
        assertThat(done[0]).isZero();
      });
      world.until(loop, count + " requests", () -> done[0] == count);
      assertThat(failed).isEmpty();
      for (int i = 0; i < count; i++) {
        assertThat(memory.get(ValueLayout.JAVA_INT, (long) i * block)).isEqualTo(i);
        memory.set(ValueLayout.JAVA_INT, (long) i * block, op == Op.WRITE ? -1 : i);
      }
    }
  }

  @Test
  void aCompletionMaySubmitTheSameRequestAgain() {
    DiskFile file = made("again");
    int block = file.blockSize();
    MemorySegment memory = arena.allocate(block, 4096);
    int[] rounds = new int[1];
    world.run(loop, () -> {
      IoRequest request = new IoRequest(r -> {
        if (r.status.isOk() && ++rounds[0] < 200) {
          r.prepare(rounds[0] % 2 == 0 ? Op.READ : Op.WRITE, (long) rounds[0] * block, block).sgl.add(memory, 0, block);
          file.submit(r);
        }
      }).prepare(Op.WRITE, 0, block);
      request.sgl.add(memory, 0, block);
      file.submit(request);
    });
    world.until(loop, "200 rounds", () -> rounds[0] == 200);
  }

  @Test
  void twoLoopsShareAFile() {
    DiskFile here = made("shared");
    Loop other = world.loop(1);
    DiskFile there = world.call(other, () -> other.disk().open(world.folder().resolve("shared"), Disk.Mode.WRITE));
    byte[] content = new byte[here.blockSize()];
    Arrays.fill(content, (byte) 42);
    assertThat(write(here, 0, content, false)).isEqualTo(Status.OK);
    MemorySegment memory = arena.allocate(content.length, 4096);
    List<Status> done = new ArrayList<>();
    world.run(other, () -> {
      IoRequest request = new IoRequest(r -> done.add(r.status)).prepare(Op.READ, 0, content.length);
      request.sgl.add(memory, 0, content.length);
      there.submit(request);
    });
    world.until(other, "the read", () -> done.size() == 1);
    assertThat(done).containsExactly(Status.OK);
    assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
    world.run(other, there::close);
    assertThat(write(here, 0, content, true)).isEqualTo(Status.OK);
  }

  @Test
  void whatIsNotThereIsNotFound() {
    for (Disk.Mode mode : List.of(Disk.Mode.READ, Disk.Mode.WRITE)) {
      assertThatThrownBy(() -> open("nothing", mode)).isInstanceOfSatisfying(RemoraException.class,
          e -> assertThat(e.status()).isEqualTo(Status.NOT_FOUND))
          .hasMessageContaining(world.folder().resolve("nothing").toString());
    }
  }

  @Test
  void smallFilesAreReplacedWhole() {
    Path path = world.folder().resolve("small");
    assertThat(world.call(loop, () -> loop.disk().load(path))).isEmpty();
    for (String text : List.of("first", "", "a longer text than the first")) {
      byte[] content = text.getBytes(StandardCharsets.UTF_8);
      world.run(loop, () -> loop.disk().store(path, content));
      assertThat(world.call(loop, () -> loop.disk().load(path))).hasValueSatisfying(
          got -> assertThat(got).isEqualTo(content));
    }
    world.run(loop, () -> {
      loop.disk().delete(path);
      loop.disk().delete(path);
    });
    assertThat(world.call(loop, () -> loop.disk().load(path))).isEmpty();
  }

  @Test
  void smallFilesAreSmall() {
    assertThatThrownBy(
        () -> world.run(loop,
            () -> loop.disk().store(world.folder().resolve("large"), new byte[Disk.SMALL_FILE_BYTES + 1])))
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.INVALID));
    assertThat(world.call(loop, () -> loop.disk().load(world.folder().resolve("large")))).isEmpty();
  }

  private DiskFile open(String name, Disk.Mode mode) {
    return world.call(loop, () -> loop.disk().open(world.folder().resolve(name), mode));
  }

  private DiskFile made(String name) {
    DiskFile file = open(name, Disk.Mode.CREATE);
    grow(file, SIZE);
    return file;
  }

  private void grow(DiskFile file, long size) {
    world.run(loop, () -> file.grow(size));
  }

  private Status write(DiskFile file, long offset, byte[] content, boolean fua) {
    MemorySegment memory = arena.allocate(content.length, 4096);
    MemorySegment.copy(content, 0, memory, ValueLayout.JAVA_BYTE, 0, content.length);
    Sgl list = new Sgl();
    list.add(memory, 0, content.length);
    return submit(file, Op.WRITE, offset, content.length, list, fua);
  }

  private byte[] read(DiskFile file, long offset, int length) {
    MemorySegment memory = arena.allocate(length, 4096);
    Sgl list = new Sgl();
    list.add(memory, 0, length);
    assertThat(submit(file, Op.READ, offset, length, list, false)).isEqualTo(Status.OK);
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }

  private Status transfer(DiskFile file, Op op, long offset, int length) {
    Sgl list = new Sgl();
    list.add(arena.allocate(length, 4096), 0, length);
    return submit(file, op, offset, length, list, false);
  }

  private Status submit(DiskFile file, Op op, long offset, long length) {
    return submit(file, op, offset, length, new Sgl(), false);
  }

  private Status submit(DiskFile file, Op op, long offset, long length, Sgl list, boolean fua) {
    List<Status> done = new ArrayList<>();
    world.run(loop, () -> {
      IoRequest request = new IoRequest(r -> done.add(r.status)).prepare(op, offset, length);
      request.fua = fua;
      request.sgl.addRange(list, 0, list.totalBytes());
      file.submit(request);
      assertThat(done).as("completed inside submit").isEmpty();
    });
    world.until(loop, op + " " + offset + "+" + length, () -> !done.isEmpty());
    return done.get(0);
  }
}
