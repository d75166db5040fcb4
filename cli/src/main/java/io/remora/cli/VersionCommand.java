package io.remora.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Loops;
import io.remora.cli.terminal.Terminal;
import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code remora version}. */
@Command(name = "version", description = "Print the version; with --verbose also what this machine permits.", footer = {
  "", "Example:  remora version --verbose"})
final class VersionCommand extends io.remora.cli.Command {
  @Option(names = "--verbose", description = "Also print the Java virtual machine, the kernel, and which I/O back end is used and why.")
  boolean verbose;

  @Override
  int run(Terminal terminal) {
    ObjectNode node = Terminal.object().put("version", version());
    terminal.line("remora " + version());
    if (verbose) {
      describe(terminal, node);
    }
    if (terminal.json()) {
      terminal.result(node);
    }
    return 0;
  }

  /** The version of this build. */
  static String version() {
    try (InputStream in = VersionCommand.class.getResourceAsStream("/remora.properties")) {
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version", "unknown");
    } catch (IOException | NullPointerException e) {
      return "unknown";
    }
  }

  private static void describe(Terminal terminal, ObjectNode node) {
    String java = System.getProperty("java.vm.name") + " " + Runtime.version();
    String system = System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
        + System.getProperty("os.arch");
    int cpus = Runtime.getRuntime().availableProcessors();
    String loops = Loops.describe();
    node.put("java", java).put("system", system).put("cpus", cpus).put("io", loops);
    terminal.line("java     " + java);
    terminal.line("system   " + system + ", " + cpus + " CPUs");
    terminal.line("io       " + loops);
  }
}
