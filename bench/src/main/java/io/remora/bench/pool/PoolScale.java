package io.remora.bench.pool;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.block.pool.Pool;
import io.remora.block.pool.PoolConfig;
import io.remora.block.pool.Volume;
import io.remora.block.pool.VolumeSpec;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/**
 * Makes a large pool on two sparse files and measures its import. Arguments: FOLDER, the size in TiB, the number of allocated
 * clusters, {@code dense} or {@code spread}, the number of volumes, and how often to import it.
 */
public final class PoolScale {
  private final Loop loop;
  private final List<Path> paths;
  private final long bytes;

  private PoolScale(Loop loop, Path folder, long tib) {
    this.loop = loop;
    this.paths = List.of(folder.resolve("scale-0.pool"), folder.resolve("scale-1.pool"));
    this.bytes = tib << 39;
  }

  /** Runs it; what it made is deleted again. */
  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 6) {
      System.err.println("usage: FOLDER TIB CLUSTERS dense|spread VOLUMES RUNS");
      System.exit(2);
    }
    try (Loops loops = Loops.start(Loops.Config.of("pool", 1))) {
      PoolScale scale = new PoolScale(loops.get(0), Path.of(arguments[0]), Long.parseLong(arguments[1]));
      try {
        scale.make(Integer.parseInt(arguments[4]));
        scale.allocate(Integer.parseInt(arguments[2]), arguments[3].equals("spread"));
        for (int i = 0; i < Integer.parseInt(arguments[5]); i++) {
          scale.open(i);
        }
      } finally {
        for (Path path : scale.paths) {
          Files.deleteIfExists(path);
        }
      }
    }
  }

  private void make(int volumes) throws Exception {
    Pool pool = await(() -> Pool.create(loop, new PoolConfig("scale", UUID.randomUUID(),
        paths.stream().map(path -> new PoolConfig.DiskSpec(path, bytes)).toList(), 1 << 20, false)));
    long begin = System.nanoTime();
    for (int i = 0; i < volumes; i++) {
      int number = i;
      await(() -> pool.createVolume(VolumeSpec.thin("volume-" + number, UUID.randomUUID(), bytes)));
    }
    say("made %d volumes in %.1f s", volumes, (System.nanoTime() - begin) / 1e9);
    await(pool::close);
  }

  private void allocate(int clusters, boolean spread) throws IOException {
    long tableBytes = 0;
    for (int i = 0; i < paths.size() && clusters > 0; i++) {
      int count = clusters / paths.size();
      int step = spread ? (int) Math.max(1, (bytes >> 20) / count - 1) : 1;
      tableBytes += ForgedTable.write(paths.get(i), i + 1, 0, count, step);
    }
    say("%d clusters, %s of table in use, twice; file system: %s", clusters, tableBytes,
        Files.getFileStore(paths.getFirst()).type());
  }

  private void open(int run) throws Exception {
    System.gc();
    long heapBefore = heap();
    long begin = System.nanoTime();
    Pool pool = await(() -> Pool.open(loop, paths));
    long opened = System.nanoTime();
    List<Volume> volumes = await(() -> CompletableFuture.completedFuture(List.copyOf(pool.volumes())));
    long listed = System.nanoTime();
    System.gc();
    say("import %d: %.0f ms, %d volumes listed in %.1f ms, %d clusters used, heap %d MiB, resident %d MiB, problems %s",
        run,
        (opened - begin) / 1e6, volumes.size(), (listed - opened) / 1e6, pool.usage().usedBytes() >> 20,
        (heap() - heapBefore) >> 20, residentBytes() >> 20, pool.problems());
    await(pool::close);
  }

  private static long heap() {
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  /** What of the process's memory is resident, heap and all. */
  private static long residentBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("RssAnon:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
      }
    }
    return 0;
  }

  private <T> T await(Supplier<CompletableFuture<T>> operation) throws InterruptedException, ExecutionException {
    CompletableFuture<T> result = new CompletableFuture<>();
    loop.execute(() -> operation.get().whenComplete((value, failure) -> {
      if (failure != null) {
        result.completeExceptionally(failure);
      } else {
        result.complete(value);
      }
    }));
    return result.get();
  }

  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
