package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.remora.cli.terminal.Table;
import io.remora.cli.terminal.Terminal;
import io.remora.verbs.Provider;
import io.remora.verbs.example.Example;
import io.remora.verbs.example.Examples;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code remora verbs}. */
@Command(name = "verbs", description = "RDMA for Java: the examples of the verbs library.", synopsisSubcommandLabel = "COMMAND", subcommands = VerbsCommand.ExampleCommand.class)
final class VerbsCommand extends CommandGroup {
  /** {@code remora verbs example}. */
  @Command(name = "example", description = "Run an example between two ends of this process, or list the examples.", footer = {
    "",
    "Example:  remora verbs example write --provider sim", ""})
  static final class ExampleCommand extends io.remora.cli.Command {
    @Parameters(paramLabel = "NAME", arity = "0..1", defaultValue = "", description = "Which; none: list them.")
    String name = "";

    @Option(names = "--provider", paramLabel = "NAME", defaultValue = "", description = "Who carries it: shm, iwarp, ibverbs or sim (default: the first that works here).")
    String provider = "";

    @Override
    int run(Terminal terminal) {
      if (name.isEmpty()) {
        list(terminal);
        return 0;
      }
      Example example = Examples.ALL.stream().filter(e -> e.name().equals(name)).findFirst()
          .orElseThrow(() -> usage("no example '" + name + "': "
              + String.join(", ", Examples.ALL.stream().map(Example::name).toList())));
      Provider carrier = provider.isEmpty() ? Providers.firstUsable() : Providers.find(provider);
      String device = Providers.device(carrier);
      List<String> said = new ArrayList<>();
      terminal.line(example.description() + ", over " + carrier.name() + " device " + device + ":");
      example.run(carrier, device, line -> {
        said.add(line);
        terminal.line("  " + line);
      });
      if (terminal.json()) {
        ArrayNode lines = Terminal.object().putArray("said");
        said.forEach(lines::add);
        terminal.result(Terminal.object().put("example", name).put("provider", carrier.name()).put("device", device)
            .set("said", lines));
      }
      return 0;
    }

    private static void list(Terminal terminal) {
      Table table = new Table("NAME", "WHAT");
      ArrayNode list = Terminal.object().putArray("examples");
      for (Example example : Examples.ALL) {
        table.row(example.name(), example.description());
        list.addObject().put("name", example.name()).put("description", example.description());
      }
      if (terminal.json()) {
        terminal.result(Terminal.object().set("examples", list));
      } else {
        terminal.table(table);
      }
    }
  }
}
