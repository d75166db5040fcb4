package io.remora.peers;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The conformance kit of verbs in the guest, by libibverbs and librdmacm on the kernel's software RDMA devices. */
@NeedsGuest
class IbverbsPeer {
  /** What the kit needs beside the project's own classes. */
  private static final List<String> LIBRARIES = List.of("junit-jupiter-api", "junit-platform-commons", "opentest4j",
      "assertj-core", "byte-buddy", "apiguardian-api", "jspecify");

  @TempDir
  Path classes;

  /**
   * The region of 5 GiB, on soft RoCE: Linux 6.12 describes the pages of a region in one piece of kernel memory, 16 bytes each, and has no pieces of more than 4 MiB. So no region is longer than
   * 1 GiB, however much memory there is.
   */
  private static final String TOO_LONG_FOR_RXE = "longRegionsHaveLongOffsets";

  @Test
  void conformsOnSoftRoce() {
    run("rxe", TOO_LONG_FOR_RXE);
  }

  @Test
  void conformsOnSoftIwarp() {
    run("siw", "");
  }

  private void run(String kind, String leftOut) {
    collect();
    Guest.Config config = new Guest.Config("ibverbs-" + kind, GuestTool.DEFAULT_KERNEL, List.of("--smp", "2", "--mem",
        "2048", "--java", System.getProperty("java.home"), "--share", classes + ",at=/classes"), Duration.ofMinutes(4));
    try (Guest guest = new Guest(config, "verbs.sh", Map.of("KIND", kind, "LEFT_OUT", leftOut), Map.of())) {
      guest.finish(4);
    }
  }

  /** Copies the class path of the kit to where the guest sees it. */
  private void collect() {
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      Path path = Path.of(entry);
      Path target = path.getParent();
      String name = path.getFileName().toString();
      if (LIBRARIES.stream().anyMatch(library -> name.startsWith(library + "-"))) {
        copy(path, classes.resolve(name));
      } else if (target != null && target.endsWith("base/target")) {
        copy(target.resolve("classes"), classes.resolve("base"));
      } else if (target != null && target.endsWith("verbs/target")) {
        assumeTrue(Files.isDirectory(target.resolve("test-classes/io/remora/verbs/tck")),
            "the tests of verbs have not been compiled: " + target.resolve("test-classes"));
        copy(target.resolve("classes"), classes.resolve("verbs"));
        copy(target.resolve("test-classes"), classes.resolve("tests"));
      }
    }
    assumeTrue(Files.isDirectory(classes.resolve("tests")), "the class path of this run has no module verbs");
  }

  private static void copy(Path from, Path to) {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else {
          Files.copy(path, target);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
