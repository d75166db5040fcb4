package io.remora.cli.load;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.block.BlockDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * One run of a {@link Workload} on a device: a job per loop. Driven by a thread that may block; the jobs live on the loops.
 *
 * <p>Two loads in a row may share {@link Memory}, so that the second verifies what the first has written.
 */
public final class Load {
  private static final int MAX_TROUBLES = 10;

  /** What is known of the blocks of a range: how often each was written. Passed from load to load. */
  public static final class Memory {
    private final List<Notes> parts = new ArrayList<>();
  }

  /** How far a load is. */
  public record Sample(long reads, long writes, long verifiedBytes) {}

  private final BlockDevice device;
  private final List<Loop> loops;
  private final Workload workload;
  private final LongSupplier cpuNs;
  private final List<Job> jobs = new ArrayList<>();
  private final List<String> troubles = new ArrayList<>();
  private final CountDownLatch ended;
  private final @Nullable Memory memory;
  private boolean aborted;
  private long cpuFromNs;
  private long cpuUsedNs;

  /**
   * A load that has not begun.
   *
   * @param loops at least as many as the workload has jobs
   * @param memory what earlier loads of the same range, block size and jobs have written; null to begin anew
   * @param cpuNs a clock of processor time, asked at the beginning and the end of what is measured
   */
  public Load(BlockDevice device, List<Loop> loops, Workload workload, @Nullable Memory memory, LongSupplier cpuNs) {
    Check.argument(loops.size() >= workload.jobs(), "%d jobs need as many loops, not %d", workload.jobs(),
        loops.size());
    Check.argument(workload.blockBytes() % device.blockSize() == 0,
        "bs %d is not a multiple of the block size %d of %s",
        workload.blockBytes(), device.blockSize(), device.name());
    Check.argument(workload.offset() + workload.size() <= device.sizeBytes(),
        "offset %d and size %d reach past the end of %s, which has %d bytes", workload.offset(), workload.size(),
        device.name(), device.sizeBytes());
    Check.argument(!workload.pattern().writes() || !device.readOnly(), "%s takes no writes", device.name());
    this.device = device;
    this.loops = loops;
    this.workload = workload;
    this.cpuNs = cpuNs;
    this.memory = memory != null ? memory : workload.verify() && workload.pattern().writes() ? new Memory() : null;
    this.ended = new CountDownLatch(workload.jobs());
  }

  /** Begins; returns at once. */
  public void start() {
    long blocks = workload.blocks() / workload.jobs();
    Check.argument(blocks <= Integer.MAX_VALUE - 8, "%d blocks per job are too many: make bs larger", blocks);
    for (int i = 0; i < workload.jobs(); i++) {
      Notes notes = notes(i, (int) blocks);
      int number = i;
      Loop loop = loops.get(i);
      loop.execute(() -> begin(loop, number, blocks, notes));
    }
  }

  /** Ends it early; it still has to be waited for. */
  public void abort() {
    synchronized (jobs) {
      aborted = true;
      jobs.forEach(job -> job.loop().execute(job::abort));
    }
  }

  /** Waits for the end for at most {@code timeoutNs}; returns whether it has come. */
  public boolean await(long timeoutNs) throws InterruptedException {
    return ended.await(timeoutNs, TimeUnit.NANOSECONDS);
  }

  /** How far it is. */
  public Sample sample() {
    long reads = 0;
    long writes = 0;
    long verified = 0;
    synchronized (jobs) {
      for (Job job : jobs) {
        reads += job.operations(true);
        writes += job.operations(false);
        verified += job.verifiedBytes();
      }
    }
    return new Sample(reads, writes, verified);
  }

  /** What was measured, after the end. */
  public Result result() {
    Check.that(ended.getCount() == 0, "the load still runs");
    Sample sample = sample();
    synchronized (jobs) {
      long elapsedNs = jobs.stream().mapToLong(Job::measuredNs).max().orElse(0);
      return new Result(new Result.Direction(sample.reads(), workload.blockBytes(), latencies(true)),
          new Result.Direction(sample.writes(), workload.blockBytes(), latencies(false)), elapsedNs, cpuUsedNs,
          sample.verifiedBytes(), List.copyOf(troubles));
    }
  }

  private @Nullable Notes notes(int number, int blocks) {
    Memory known = memory;
    if (known == null) {
      return null;
    }
    if (known.parts.size() == number) {
      known.parts.add(new Notes(blocks));
    }
    Notes notes = known.parts.get(number);
    Check.argument(notes.blocks() == blocks, "the earlier load had %d blocks per job, this one has %d", notes.blocks(),
        blocks);
    return notes;
  }

  private void begin(Loop loop, int number, long blocks, @Nullable Notes notes) {
    Job job;
    try {
      job = new Job(loop, device, workload, number, number * blocks, (int) blocks, notes, watcher);
    } catch (RemoraException e) {
      watcher.onTrouble(e.getMessage());
      ended.countDown();
      return;
    }
    synchronized (jobs) {
      jobs.add(job);
      if (aborted) {
        job.abort();
      }
    }
    job.start();
  }

  private Histogram latencies(boolean reads) {
    Histogram sum = new Histogram(jobs.isEmpty() ? 2 : jobs.getFirst().latencies(reads).getHighestTrackableValue(), 3);
    jobs.forEach(job -> sum.add(job.latencies(reads)));
    return sum;
  }

  private final Job.Watcher watcher = new Job.Watcher() {
    @Override
    public void onMeasure(Job job) {
      synchronized (jobs) {
        if (job == jobs.getFirst()) {
          cpuFromNs = cpuNs.getAsLong();
        }
      }
    }

    @Override
    public void onMeasured(Job job) {
      synchronized (jobs) {
        if (job == jobs.getFirst()) {
          cpuUsedNs = cpuNs.getAsLong() - cpuFromNs;
        }
      }
    }

    @Override
    public void onTrouble(String what) {
      synchronized (jobs) {
        if (troubles.size() < MAX_TROUBLES) {
          troubles.add(what);
        }
      }
    }

    @Override
    public void onEnd() {
      ended.countDown();
    }
  };
}
