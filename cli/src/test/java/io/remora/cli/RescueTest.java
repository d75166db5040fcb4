package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.block.pool.Pool;
import io.remora.block.pool.PoolConfig;
import io.remora.block.pool.Volume;
import io.remora.block.pool.VolumeSpec;
import io.remora.cli.copy.Copy;
import io.remora.cli.terminal.Terminal;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code remora rescue}, {@code pool check} and {@code pool repair} on real files: exit codes and what they leave. */
class RescueTest {
  private static final int CLUSTER = 64 << 10;
  /** Where the first sector of the first region's slots is. */
  private static final long SLOT = 1 << 20;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  private final byte[] content = new byte[37 * CLUSTER + 4096];
  private String printed = "";
  private String first = "";
  private String second = "";

  @BeforeEach
  void makePool() throws IOException, InterruptedException {
    byte[] block = new byte[CLUSTER];
    for (int i = 0; i < 36; i += 3) {
      new Random(i).nextBytes(block);
      System.arraycopy(block, 0, content, i * CLUSTER, CLUSTER);
    }
    content[content.length - 1] = 7;
    first = folder.resolve("first").toString();
    second = folder.resolve("second").toString();
    try (Loops loops = Loops.start(Loops.Config.of("make", 1))) {
      Loop loop = loops.get(0);
      List<PoolConfig.DiskSpec> disks = List.of(new PoolConfig.DiskSpec(Path.of(first), 16 << 20),
          new PoolConfig.DiskSpec(Path.of(second), 16 << 20));
      Pool pool = Futures.await(Futures.on(loop,
          () -> Pool.create(loop, new PoolConfig("p", UUID.randomUUID(), disks, CLUSTER, false))));
      Volume volume = Futures.await(Futures.on(loop,
          () -> pool.createVolume(VolumeSpec.thin("data", UUID.randomUUID(), content.length))));
      new Copy(loop, volume, done -> {}).in(Channels.newChannel(new ByteArrayInputStream(content)), true);
      Futures.await(Futures.on(loop, pool::close));
    }
  }

  /** As {@link Remora#execute}, with what is printed kept. */
  private int remora(String... arguments) {
    CommandLine line = new CommandLine(new Remora());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    Terminal terminal = new Terminal(out, out, false, List.of(arguments).contains("--json"));
    try {
      CommandLine.ParseResult parsed = line.parseArgs(arguments);
      while (parsed.hasSubcommand()) {
        parsed = parsed.subcommand();
      }
      return ((Command) parsed.commandSpec().userObject()).run(terminal);
    } catch (CommandLine.ParameterException e) {
      return Remora.USAGE;
    } catch (RemoraException e) {
      out.println(e.getMessage());
      return Remora.FAILED;
    } catch (Exception e) {
      throw new AssertionError(e);
    } finally {
      printed = bytes.toString(StandardCharsets.UTF_8);
    }
  }

  private static void flip(String file, long offset) throws IOException {
    try (RandomAccessFile disk = new RandomAccessFile(file, "rw")) {
      disk.seek(offset);
      int value = disk.read();
      disk.seek(offset);
      disk.write(value ^ 4);
    }
  }

  /** The second copy of the slots: its place is the length of one copy before the region's end. */
  private static long secondSlot(String file) throws IOException {
    try (RandomAccessFile disk = new RandomAccessFile(file, "r")) {
      byte[] label = new byte[4096];
      disk.readFully(label);
      var region = java.nio.ByteBuffer.wrap(label).order(java.nio.ByteOrder.LITTLE_ENDIAN).slice(1536, 64)
          .order(java.nio.ByteOrder.LITTLE_ENDIAN);
      return region.getLong(0) + region.getLong(8) - (region.getInt(36) + region.getInt(40)) * 4096L;
    }
  }

  @Test
  void wholePoolIsListedCheckedAndExported() throws IOException {
    assertThat(remora("rescue", first, second)).isZero();
    assertThat(printed).contains("pool p (").contains("data").contains("whole").doesNotContain("LOST");
    assertThat(remora("rescue", "--json", second, first)).isZero();
    JsonNode result = new ObjectMapper().readTree(printed);
    assertThat(result.at("/ok").asBoolean()).isTrue();
    assertThat(result.at("/pools/0/disks/1/path").asText()).isEqualTo(second);
    assertThat(result.at("/pools/0/volumes/0/size_bytes").asLong()).isEqualTo(content.length);
    assertThat(result.at("/counts/LOST").asInt()).isZero();
    assertThat(remora("pool", "check", first, second)).isZero();
    Path image = folder.resolve("image");
    assertThat(remora("rescue", first, second, "--export", "p/data", "--to", image.toString())).isZero();
    assertThat(Files.readAllBytes(image)).isEqualTo(content);
    assertThat(remora("rescue", first, second, "--export", "data", "--to", image.toString())).isEqualTo(1);
    assertThat(remora("rescue", first, second, "--export", "data", "--to", image.toString(), "--force")).isZero();
    assertThat(remora("rescue", first, second, "--export", "none", "--to", folder.resolve("none").toString()))
        .isEqualTo(1);
    assertThat(folder.resolve("none")).doesNotExist();
  }

  @Test
  void wrongUsageIsTwo() {
    assertThat(remora("rescue")).isEqualTo(2);
    assertThat(remora("rescue", first, "--export", "data")).isEqualTo(2);
    assertThat(remora("rescue", first, "--json", "--export", "data", "--to", "-")).isEqualTo(2);
    assertThat(remora("rescue", folder.resolve("none").toString())).isEqualTo(1);
  }

  @Test
  void missingDiskNeedsAllowMissing() throws IOException {
    Path image = folder.resolve("image");
    assertThat(remora("rescue", first)).isEqualTo(1);
    assertThat(printed).contains("LOST").contains("disk 1").contains("is missing").contains("INCOMPLETE");
    assertThat(remora("rescue", first, "--export", "data", "--to", image.toString())).isEqualTo(1);
    assertThat(printed).contains("--allow-missing").containsPattern("missing  [0-9]+ bytes at");
    assertThat(image).doesNotExist();
    assertThat(remora("rescue", first, "--export", "data", "--to", image.toString(), "--allow-missing")).isZero();
    byte[] rescued = Files.readAllBytes(image);
    assertThat(rescued).hasSize(content.length);
    byte[] disk = Files.readAllBytes(Path.of(first));
    for (int at = 0; at < content.length; at += CLUSTER) {
      int end = Math.min(at + CLUSTER, content.length);
      // Which disk has a cluster depends on which of them had a clean one first.
      byte[] expected = liesOn(disk, at, end) ? Arrays.copyOfRange(content, at, end) : new byte[end - at];
      assertThat(Arrays.copyOfRange(rescued, at, end)).as("cluster at %d", at).isEqualTo(expected);
    }
  }

  /** Whether the content from {@code from} to {@code to} stands on that disk. */
  private boolean liesOn(byte[] disk, int from, int to) {
    for (int at = 0; at + to - from <= disk.length; at += 4096) {
      if (Arrays.equals(disk, at, at + to - from, content, from, to)) {
        return true;
      }
    }
    return false;
  }

  @Test
  void badCopyIsRepairedAndLossIsAcceptedOnlyWhenAsked() throws IOException {
    flip(first, SLOT + 60);
    flip(first, 4000);
    assertThat(remora("rescue", first, second)).isZero();
    assertThat(remora("pool", "check", first, second)).isEqualTo(1);
    assertThat(printed).contains("2 repairable, 0 not repairable");
    assertThat(remora("pool", "repair", first, second)).isZero();
    assertThat(printed).contains("no damage is left");
    assertThat(remora("pool", "check", first, second)).isZero();
    assertThat(remora("pool", "repair", first)).isEqualTo(1);

    flip(first, SLOT + 60);
    flip(first, secondSlot(first) + 60);
    assertThat(remora("rescue", first, second)).isEqualTo(1);
    assertThat(remora("pool", "repair", first, second)).isEqualTo(1);
    assertThat(printed).contains("--accept-loss").contains("STILL");
    assertThat(remora("pool", "repair", "--accept-loss", first, second)).isZero();
    assertThat(remora("pool", "check", "--json", first, second)).isZero();
  }

  @Test
  void poolThatIsOpenElsewhereIsRefused() throws IOException, InterruptedException {
    Process holder = new ProcessBuilder("flock", "-x", second, "-c", "echo locked; read line").start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("locked");
      assertThat(remora("rescue", first, second)).isEqualTo(1);
      assertThat(printed).contains(second).contains("another process has it open for writing");
      assertThat(remora("pool", "check", first, second)).isEqualTo(1);
      assertThat(remora("pool", "repair", first, second)).isEqualTo(1);
      holder.getOutputStream().close();
      assertThat(holder.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(remora("pool", "check", first, second)).isZero();
    } finally {
      holder.destroyForcibly();
    }
  }
}
