package io.remora.cli;

import io.remora.base.Addresses;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.block.BlockDevice;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Terminal;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import io.remora.nvme.tcp.TcpTarget;
import java.net.InetSocketAddress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora target}. */
@Command(name = "target", description = {
  "Offer one device over NVMe/TCP, to any host, until it is stopped (Ctrl-C, SIGTERM).",
  "No pool, no state: for tests and measurements. Prints one line when it is ready."}, footer = {"",
    "Example:  remora target --device mem:1g --nqn nqn.2026-01.io.remora:test --listen 127.0.0.1:4420 --cores 0",
    ""})
final class TargetCommand extends io.remora.cli.Command {
  private static final int DEPTH = 1024;
  /** How long what hosts have sent may take at the end. */
  private static final long DRAIN_NS = 5_000_000_000L;

  @Option(names = "--device", required = true, paramLabel = "URI", description = "mem:SIZE, null:SIZE, file:PATH[:SIZE], or nvmf+tcp://HOST:PORT/NQN to pass on.")
  String device;

  @Option(names = "--nqn", required = true, paramLabel = "NQN", description = "The name of the subsystem.")
  String nqn;

  @Option(names = "--listen", required = true, paramLabel = "ADDR:PORT", converter = Converters.Address.class, description = "Where hosts connect; port 0 picks a free one.")
  InetSocketAddress listen;

  @Mixin
  LoopOptions loopOptions;

  @Override
  int run(Terminal terminal) throws InterruptedException {
    DeviceUri uri;
    Subsystem.Config subsystem;
    try {
      uri = DeviceUri.parse(device);
      subsystem = Subsystem.Config.of(nqn);
    } catch (RemoraException e) {
      throw usage(e.getMessage());
    }
    try (Loops loops = loopOptions.start("target", 0);
        OpenDevices.Opened opened = OpenDevices.open(uri, loops.all(), DEPTH)) {
      Target target = new Target(TargetConfig.DEFAULT);
      Subsystem offered = target.addSubsystem(subsystem);
      offered.addNamespace(1, opened.device());
      offered.allowAnyHost(true);
      TargetListener listener = Futures.join(TcpTarget.listen(loops.all(), listen, target));
      Ending ending = new Ending();
      ready(terminal, opened.device(), listener.localAddress());
      ending.await();
      listener.close();
      Futures.join(target.shutDown(DRAIN_NS));
      ending.done();
    }
    return 0;
  }

  private void ready(Terminal terminal, BlockDevice offered, InetSocketAddress address) {
    String at = Addresses.format(address);
    terminal.line("ready: " + device + " (" + Sizes.format(offered.sizeBytes()) + ") as nvmf+tcp://" + at + "/" + nqn);
    if (terminal.json()) {
      terminal.result(Terminal.object().put("ready", true).put("device", device).put("size_bytes", offered.sizeBytes())
          .put("nqn", nqn).put("listen", at).put("uri", "nvmf+tcp://" + at + "/" + nqn)
          .put("pid", ProcessHandle.current().pid()));
    }
  }
}
