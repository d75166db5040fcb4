package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.remora.base.Addresses;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.engine.RdmaOptions;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostUri;
import io.remora.nvme.rdma.HostRdma;
import io.remora.nvme.rdma.HostRdmaOptions;
import io.remora.nvme.rdma.RegisteredBytes;
import io.remora.verbs.Provider;
import io.remora.verbs.provider.RdmaPolicy;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** A node in another process that does RDMA by policy: what serves, and what is said of it. */
class RdmaNodeTest {
  private static final int MIB = 1 << 20;
  /** An interface of no machine, so that no card is usable on any. */
  private static final List<String> NO_CARD = List.of("--listen", "127.0.0.1:0", "--rdma-enabled", "--rdma-providers",
      "ibverbs", "--rdma-interface", "nosuch0");

  @TempDir
  Path folder;

  private JsonNode remora(String... arguments) throws IOException, InterruptedException {
    String[] all = Arrays.copyOf(arguments, arguments.length + 2);
    all[arguments.length] = "--data";
    all[arguments.length + 1] = data();
    return CommandRun.json(folder, all);
  }

  private String data() {
    return folder.resolve("node").toString();
  }

  private Spawned up(List<String> arguments) {
    return new Spawned(Path.of(data()), folder.resolve("node.log"), arguments, true);
  }

  @ParameterizedTest
  @ValueSource(strings = {"shm", "iwarp"})
  void whatComesByTcpIsReadByRdma(String provider) throws IOException, InterruptedException {
    try (Spawned node = up(List.of("--listen", "127.0.0.1:0", "--rdma-enabled", "--rdma-providers", provider, "--pool",
        "p=" + folder.resolve("p.pool") + ":128MiB"))) {
      assertThat(node).isNotNull();
      byte[] image = new byte[4 * MIB];
      new Random(5).nextBytes(image);
      Path file = Files.write(folder.resolve("image"), image);
      remora("volume", "create", "v", "--size", "16MiB");
      JsonNode published = remora("volume", "publish", "v").path("publication");
      assertThat(published.path("uris")).hasSize(2);
      assertThat(published.at("/uris/0").asText()).isEqualTo(published.path("uri").asText()).startsWith("nvmf+tcp://");
      String uri = published.at("/uris/1").asText();
      assertThat(uri).startsWith("nvmf+rdma://127.0.0.1:").endsWith("?provider=" + provider);
      assertThat(HostUri.parse(uri).provider()).contains(provider);
      assertThat(remora("volume", "list").at("/volumes/0/publication/uris/1").asText()).isEqualTo(uri);
      CommandRun shown = CommandRun.end(folder, "volume", "show", "v", "--data", data());
      assertThat(shown.out()).contains(uri);
      JsonNode rdma = remora("status").path("rdma");
      assertThat(rdma.at("/listen/0/provider").asText()).isEqualTo(provider);
      assertThat(uri).contains("//" + rdma.at("/listen/0/address").asText() + "/");
      assertThat(rdma.path("warnings")).isEmpty();

      remora("import", file.toString(), "v");
      byte[] read = read(uri, Providers.find(provider), image.length);
      assertThat(Arrays.equals(read, image)).isTrue();
    }
  }

  /** Reads the beginning of what {@code uri} names from this process. */
  private static byte[] read(String uri, Provider provider, int length) {
    HostUri parsed = HostUri.parse(uri);
    HostUri.Address at = parsed.addresses().getFirst();
    InetSocketAddress address = Addresses.parse(at.host() + ":" + at.port());
    byte[] data = new byte[length];
    try (Loops loops = Loops.start(Loops.Config.of("host", 1)); Arena arena = Arena.ofShared()) {
      Loop loop = loops.all().getFirst();
      HostRdma transport = new HostRdma(provider,
          HostRdmaOptions.of(RegisteredBytes.unlessSaidOtherwise()));
      HostController host = Futures
          .join(HostController.connect(transport, loops.all(), HostOptions.of(address, parsed.nqn())));
      MemorySegment memory = arena.allocate(MIB, 4096);
      for (int offset = 0; offset < length; offset += MIB) {
        assertThat(read(host, loop, memory, offset)).isEqualTo(Status.OK);
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, 0, data, offset, MIB);
      }
      Futures.join(host.close());
    }
    return data;
  }

  private static Status read(HostController host, Loop loop, MemorySegment memory, long offset) {
    CompletableFuture<Status> ended = new CompletableFuture<>();
    loop.execute(() -> {
      BlockChannel channel = host.namespaces().getFirst().open(loop);
      IoRequest request = new IoRequest(done -> {
        channel.close();
        ended.complete(done.status);
      }).prepare(Op.READ, offset, MIB);
      request.sgl.add(memory, 0, MIB);
      channel.submit(request);
    });
    return Futures.join(ended);
  }

  @Test
  void withoutACardTheNodeServesTcpAndSaysSoUntilItEnds() throws IOException, InterruptedException {
    try (Spawned node = up(NO_CARD)) {
      assertThat(node).isNotNull();
      JsonNode status = remora("status");
      assertThat(status.path("listen")).hasSize(1);
      assertThat(status.at("/rdma/transport").asText()).isEqualTo("prefer-rdma");
      assertThat(status.at("/rdma/listen")).isEmpty();
      String warning = status.at("/rdma/warnings/0").asText();
      assertThat(warning).startsWith("no usable RDMA device (ibverbs").contains("TCP").contains("remora rdma devices");
      CommandRun shown = CommandRun.end(folder, "status", "--data", data());
      assertThat(shown.out()).contains("NVMe/RDMA  none").contains(warning);
      assertThat(Files.readString(folder.resolve("node.log")).split("no usable RDMA device", -1)).as("said once")
          .hasSize(2);
    }
  }

  @Test
  void whatIsRequiredAndNotThereIsOne() throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of("up", "--data", data(), "--transport", "require-rdma"));
    line.addAll(NO_CARD);
    CommandRun run = CommandRun.end(folder, line.toArray(String[]::new));
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("remora: no usable RDMA device (ibverbs").contains("require-rdma");
  }

  private static RdmaOptions options(String line) {
    NodeRdmaOptions options = new NodeRdmaOptions();
    new CommandLine(options).parseArgs(line.isEmpty() ? new String[0] : line.split(" "));
    return options.options();
  }

  @Test
  void rdmaIsOffUnlessItIsEnabled() {
    assertThat(options("").policy().enabled()).isFalse();
    assertThat(options("--rdma-enabled=false --rdma-interface eth0").policy().enabled()).isFalse();
    RdmaOptions enabled = options("--rdma-enabled");
    assertThat(enabled.policy()).isEqualTo(RdmaPolicy.DEFAULT);
    assertThat(enabled.listen()).isNull();
    RdmaOptions all = options("--rdma-enabled --transport require-rdma --rdma-interface 10.0.0.0/24 --rdma-providers"
        + " shm,ibverbs --rdma-listen 10.0.0.5:4421");
    assertThat(all.policy()).isEqualTo(new RdmaPolicy(true, "10.0.0.0/24", List.of("shm", "ibverbs"),
        RdmaPolicy.Transport.REQUIRE_RDMA));
    assertThat(all.listen()).isEqualTo(Addresses.parse("10.0.0.5:4421"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--transport require-rdma", "--rdma-enabled --transport rdma",
    "--rdma-enabled --rdma-providers rocket", "--rdma-enabled --rdma-interface eth0/24"})
  void whatCannotBeIsRefused(String line) {
    assertThatThrownBy(() -> options(line)).as(line)
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.INVALID));
    assertThat(Remora.execute(("up --listen 127.0.0.1:0 " + line).split(" "))).isEqualTo(Remora.USAGE);
  }
}
