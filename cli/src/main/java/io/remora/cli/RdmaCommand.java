package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.cli.terminal.Table;
import io.remora.cli.terminal.Terminal;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code remora rdma}. */
@Command(name = "rdma", description = "RDMA on this machine.", synopsisSubcommandLabel = "COMMAND", subcommands = {
  RdmaCommand.Devices.class,
  RdmaPerfCommand.Ping.class, RdmaPerfCommand.Perf.class})
final class RdmaCommand extends CommandGroup {
  /** {@code remora rdma devices}. */
  @Command(name = "devices", description = {"List the RDMA devices of this machine, and why the unusable ones are so.",
    "shm and iwarp need no hardware; ibverbs are network cards and the kernel's software devices."})
  static final class Devices extends io.remora.cli.Command {
    @Override
    int run(Terminal terminal) {
      Table table = new Table("PROVIDER", "DEVICE", "FABRIC", "INTERFACE", "STATE");
      ArrayNode list = Terminal.object().putArray("devices");
      for (Provider provider : Providers.all()) {
        String unavailable = provider.unavailable();
        if (unavailable != null) {
          table.row(provider.name(), "-", "-", "-", unavailable);
          list.addObject().put("provider", provider.name()).put("usable", false).put("reason", unavailable);
          continue;
        }
        List<DeviceInfo> devices = provider.devices();
        if (devices.isEmpty()) {
          table.row(provider.name(), "-", "-", "-", "no devices");
        }
        for (DeviceInfo device : devices) {
          String netInterface = device.networkInterface();
          String unusable = device.unusable();
          table.row(provider.name(), device.name(), device.fabric(), netInterface == null ? "any" : netInterface,
              unusable == null ? "usable" : unusable);
          add(list.addObject(), device);
        }
      }
      if (terminal.json()) {
        terminal.result(Terminal.object().set("devices", list));
      } else {
        terminal.table(table);
      }
      return 0;
    }

    private static void add(ObjectNode node, DeviceInfo device) {
      node.put("provider", device.provider()).put("device", device.name()).put("fabric", device.fabric())
          .put("interface", device.networkInterface()).put("usable", device.usable()).put("reason", device.unusable());
      ArrayNode addresses = node.putArray("addresses");
      device.addresses().forEach(address -> addresses.add(address.getHostAddress()));
    }
  }
}
