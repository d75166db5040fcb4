package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.cli.terminal.Table;
import io.remora.cli.terminal.Terminal;
import io.remora.nvme.host.DiscoveryClient;
import io.remora.nvme.host.DiscoveryEntry;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostUri;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code remora discover}. */
@Command(name = "discover", description = {"List the subsystems and ports that a discovery service offers this host.",
  "Every Remora node is one, on the addresses that it listens on."}, footer = {"",
    "Example:  remora discover nvmf+tcp://127.0.0.1:4420", ""})
final class DiscoverCommand extends io.remora.cli.Command {
  @Parameters(paramLabel = "URI", description = "nvmf+tcp://HOST[:PORT][?hostnqn=NQN], or nvmf+rdma://HOST[:PORT]?provider=NAME; port 4420 unless given.")
  String uri;

  @Mixin
  LoopOptions loopOptions;

  @Override
  int run(Terminal terminal) {
    HostUri service;
    try {
      service = HostUri.parseService(uri);
    } catch (RemoraException e) {
      throw usage(e.getMessage());
    }
    HostOptions options = service.options(OpenDevices.resolve(service.addresses().getFirst()));
    try (Loops loops = loopOptions.start("discover", 1)) {
      List<DiscoveryEntry> entries = Futures
          .join(DiscoveryClient.read(Transports.of(service), loops.all().getFirst(), options));
      if (terminal.json()) {
        terminal.result(Terminal.object().put("uri", uri).set("entries", json(entries)));
      } else {
        print(terminal, entries);
      }
    }
    return 0;
  }

  private static void print(Terminal terminal, List<DiscoveryEntry> entries) {
    Table table = new Table("NQN", "KIND", "TRANSPORT", "ADDRESS", "SERVICE", ">PORT ID");
    for (DiscoveryEntry entry : entries) {
      table.row(plain(entry.subsystemNqn()), name(entry.kind()), name(entry.transport()), plain(entry.address()),
          plain(entry.service()), entry.portId());
    }
    terminal.table(table);
  }

  private static ArrayNode json(List<DiscoveryEntry> entries) {
    ArrayNode list = Terminal.object().putArray("entries");
    for (DiscoveryEntry entry : entries) {
      list.addObject().put("nqn", entry.subsystemNqn()).put("kind", name(entry.kind()))
          .put("transport", name(entry.transport())).put("address", entry.address()).put("service", entry.service())
          .put("port_id", entry.portId());
    }
    return list;
  }

  /** What the other end said, without what a terminal would act upon. */
  private static String plain(String said) {
    return said.replaceAll("\\p{Cntrl}", "?");
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
