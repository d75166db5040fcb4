package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Addresses;
import io.remora.cli.terminal.Terminal;
import io.remora.engine.RdmaAddress;
import io.remora.engine.RdmaInfo;
import io.remora.engine.rpc.ControlClient;
import io.remora.engine.rpc.ControlClient.NodeSummary;
import java.time.Instant;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code remora status}. */
@Command(name = "status", description = {"Show how the node is: where hosts connect, by which transports,",
  "and what it would have done and cannot."}, footer = {"", "Example:  remora status --json", ""})
final class StatusCommand extends PoolCommand.OnNode {
  @Override
  void run(Terminal terminal, ControlClient client) {
    NodeSummary node = client.node();
    if (terminal.json()) {
      terminal.result(json(node));
      return;
    }
    RdmaInfo rdma = node.rdma();
    terminal.line("node " + node.uuid());
    terminal.line("  version    " + node.version());
    terminal.line("  data       " + node.dataFolder());
    terminal.line("  process    " + node.pid() + ", since " + Instant.ofEpochMilli(node.startedWallMs()) + ", "
        + node.loops() + (node.loops() == 1 ? " loop" : " loops"));
    terminal.line("  NVMe/TCP   " + String.join(", ", node.listeners().stream().map(Addresses::format).toList()));
    terminal.line("  NVMe/RDMA  " + (rdma.addresses().isEmpty() ? "none" : Shapes.text(rdma.addresses()))
        + " (" + rdma.transport() + ")");
    // A warning says the reasons by itself.
    if (rdma.warnings().isEmpty()) {
      rdma.passedOver().forEach(reason -> terminal.line("             " + reason));
    }
    rdma.warnings().forEach(warning -> terminal.line("  warning    " + warning));
  }

  private static ObjectNode json(NodeSummary node) {
    ObjectNode result = Terminal.object().put("uuid", node.uuid().toString()).put("version", node.version())
        .put("data", node.dataFolder().toString()).put("pid", node.pid())
        .put("started", Instant.ofEpochMilli(node.startedWallMs()).toString()).put("loops", node.loops());
    ArrayNode listen = result.putArray("listen");
    node.listeners().forEach(address -> listen.add(Addresses.format(address)));
    result.set("rdma", json(node.rdma()));
    return result;
  }

  /** What has become of RDMA, as JSON. */
  static ObjectNode json(RdmaInfo rdma) {
    ObjectNode node = Terminal.object().put("transport", rdma.transport());
    ArrayNode listen = node.putArray("listen");
    for (RdmaAddress address : rdma.addresses()) {
      listen.addObject().put("address", Addresses.format(address.address())).put("provider", address.provider())
          .put("device", address.device()).put("fabric", address.fabric());
    }
    add(node.putArray("warnings"), rdma.warnings());
    add(node.putArray("passed_over"), rdma.passedOver());
    return node;
  }

  private static void add(ArrayNode array, List<String> texts) {
    texts.forEach(array::add);
  }
}
