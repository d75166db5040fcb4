package io.remora.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Addresses;
import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.block.BlockDevice;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Terminal;
import io.remora.nvme.host.HostUri;
import io.remora.nvme.rdma.RdmaTarget;
import io.remora.nvme.rdma.RdmaTargetOptions;
import io.remora.nvme.rdma.RegisteredBytes;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import io.remora.nvme.tcp.TcpTarget;
import io.remora.verbs.Provider;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora target}. */
@Command(name = "target", description = {
  "Offer one device over NVMe/TCP, NVMe/RDMA or both, to any host, until it is stopped (Ctrl-C, SIGTERM).",
  "No pool, no state: for tests and measurements. Prints one line when it is ready."}, footer = {"",
    "Examples:  remora target --device mem:1g --nqn nqn.2026-01.io.remora:test --listen 127.0.0.1:4420 --cores 0",
    "           remora target --device mem:1g --nqn nqn.2026-01.io.remora:test --listen 127.0.0.1:4420 \\",
    "               --transport tcp,rdma --provider iwarp --rdma-listen 127.0.0.1:4421", ""})
final class TargetCommand extends io.remora.cli.Command {
  private static final int DEPTH = 1024;
  /** How long what hosts have sent may take at the end. */
  private static final long DRAIN_NS = 5_000_000_000L;

  @Option(names = "--device", required = true, paramLabel = "URI", description = "mem:SIZE, null:SIZE, file:PATH[:SIZE], or nvmf+tcp://HOST:PORT/NQN or nvmf+rdma://HOST:PORT/NQN?provider=NAME to pass on.")
  String device;

  @Option(names = "--nqn", required = true, paramLabel = "NQN", description = "The name of the subsystem.")
  String nqn;

  @Option(names = "--listen", required = true, paramLabel = "ADDR:PORT", converter = Converters.Address.class, description = "Where hosts connect; port 0 picks a free one.")
  InetSocketAddress listen;

  @Option(names = "--transport", paramLabel = "NAME", split = ",", defaultValue = "tcp", description = "tcp, rdma or tcp,rdma (default: ${DEFAULT-VALUE}).")
  List<String> transports = List.of(HostUri.TCP);

  @Option(names = "--provider", paramLabel = "NAME", defaultValue = "", description = "Whose RDMA devices: ibverbs, iwarp or shm (default: the first that works here).")
  String provider = "";

  @Option(names = "--rdma-listen", paramLabel = "ADDR:PORT", converter = Converters.Address.class, description = "Where hosts connect by RDMA (default: as --listen). iWARP's ports are TCP's: beside tcp it needs one of its own.")
  @Nullable
  InetSocketAddress rdmaListen;

  @Mixin
  LoopOptions loopOptions;

  @Option(names = "--until-stdin-ends", hidden = true, description = "Stop when standard input ends.")
  boolean untilStdinEnds;

  @Override
  int run(Terminal terminal) throws InterruptedException {
    DeviceUri uri;
    Subsystem.Config subsystem;
    try {
      uri = DeviceUri.parse(device);
      subsystem = Subsystem.Config.of(nqn);
      checkTransports();
    } catch (RemoraException e) {
      throw usage(e.getMessage());
    }
    try (Loops loops = loopOptions.start("target", 0);
        OpenDevices.Opened opened = OpenDevices.open(uri, loops.all(), DEPTH)) {
      Target target = new Target(TargetConfig.DEFAULT);
      Subsystem offered = target.addSubsystem(subsystem);
      offered.addNamespace(1, opened.device());
      offered.allowAnyHost(true);
      Map<String, TargetListener> listeners = listen(loops.all(), target);
      Ending ending = new Ending();
      ready(terminal, opened.device(), listeners);
      if (untilStdinEnds) {
        ending.askWhenStdinEnds();
      }
      ending.await();
      listeners.values().forEach(TargetListener::close);
      Futures.join(target.shutDown(DRAIN_NS));
      ending.done();
    }
    return 0;
  }

  private void checkTransports() {
    for (String transport : transports) {
      Check.argument(transport.equals(HostUri.TCP) || transport.equals(HostUri.RDMA),
          "transport '%s': tcp, rdma or tcp,rdma", transport);
    }
    boolean rdma = transports.contains(HostUri.RDMA);
    Check.argument(rdma || (provider.isEmpty() && rdmaListen == null),
        "--provider and --rdma-listen go with --transport rdma");
  }

  /** Listens with each transport; the listeners by the beginnings of their URIs. */
  private Map<String, TargetListener> listen(List<Loop> loops, Target target) {
    Map<String, TargetListener> listeners = new LinkedHashMap<>();
    if (transports.contains(HostUri.TCP)) {
      listeners.put("", Futures.join(TcpTarget.listen(loops, listen, target)));
    }
    if (transports.contains(HostUri.RDMA)) {
      Provider of = Transports.provider(provider);
      InetSocketAddress own = rdmaListen;
      TargetListener listener = Futures
          .join(RdmaTarget.listen(loops, own == null ? listen : own, target, of,
              RdmaTargetOptions.of(RegisteredBytes.unlessSaidOtherwise())));
      listeners.put(of.name(), listener);
    }
    return listeners;
  }

  private String uri(String providerName, TargetListener listener) {
    String at = Addresses.format(listener.localAddress());
    return providerName.isEmpty()
        ? "nvmf+tcp://" + at + "/" + nqn
        : "nvmf+rdma://" + at + "/" + nqn + "?provider=" + providerName;
  }

  private void ready(Terminal terminal, BlockDevice offered, Map<String, TargetListener> listeners) {
    List<String> uris = listeners.entrySet().stream().map(each -> uri(each.getKey(), each.getValue())).toList();
    terminal.line("ready: " + device + " (" + Sizes.format(offered.sizeBytes()) + ") as " + String.join(" and ", uris));
    if (terminal.json()) {
      ObjectNode said = Terminal.object().put("ready", true).put("device", device)
          .put("size_bytes", offered.sizeBytes())
          .put("nqn", nqn).put("listen", Addresses.format(listeners.values().iterator().next().localAddress()))
          .put("uri", uris.getFirst()).put("pid", ProcessHandle.current().pid());
      uris.forEach(said.putArray("uris")::add);
      terminal.result(said);
    }
  }
}
