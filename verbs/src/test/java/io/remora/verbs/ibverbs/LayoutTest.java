package io.remora.verbs.ibverbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The layouts as the machine's own C compiler and headers have them. */
class LayoutTest {
  private static final List<Class<?>> LAYOUTS = List.of(AddressLayout.class, AsyncEventLayout.class,
      ChannelLayout.class, CmEventLayout.class, CmIdLayout.class, CmParameterLayout.class, CompletionLayout.class,
      CompletionQueueLayout.class, ContextLayout.class, DeviceAttributeLayout.class, DeviceLayout.class,
      GidEntryLayout.class, PieceLayout.class, PortLayout.class, QueuePairAttributeLayout.class,
      QueuePairInitLayout.class, QueuePairLayout.class, ReceiveLayout.class, RegionLayout.class, SendLayout.class,
      SharedReceiveLayout.class, WindowLayout.class);

  @TempDir
  Path folder;

  @Test
  void offsetsAreThoseOfTheHeaders() throws Exception {
    assumeTrue(
        Files.exists(Path.of("/usr/include/infiniband/verbs.h"))
            && Files.exists(Path.of("/usr/include/rdma/rdma_cma.h")),
        "no headers of libibverbs and librdmacm (Debian: libibverbs-dev librdmacm-dev)");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/cc")), "no C compiler /usr/bin/cc");
    Path source = folder.resolve("layout.c");
    try (InputStream text = LayoutTest.class.getResourceAsStream("/ibverbs/layout.c")) {
      Files.copy(Objects.requireNonNull(text), source);
    }
    Path program = folder.resolve("layout");
    run("/usr/bin/cc", "-o", program.toString(), source.toString());

    Set<String> ours = new TreeSet<>();
    for (Class<?> layout : LAYOUTS) {
      for (Field field : layout.getDeclaredFields()) {
        ours.add(layout.getSimpleName() + " " + field.getName() + " " + field.getInt(null));
      }
    }
    assertThat(new TreeSet<>(run(program.toString()))).isEqualTo(ours).hasSizeGreaterThan(150);
  }

  private static List<String> run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> lines = new ArrayList<>(
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList());
    assertThat(process.waitFor()).as("%s", lines).isZero();
    return lines;
  }
}
