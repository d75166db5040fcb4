package io.remora.cli;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.cli.terminal.Terminal;
import java.util.List;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** The {@code remora} command: its sub-commands and how they end. Main thread. */
@CommandLine.Command(name = "remora", description = "Storage for clusters: volumes over NVMe over Fabrics.", synopsisSubcommandLabel = "COMMAND", subcommands = {
  QuickstartCommand.class, UpCommand.class, StatusCommand.class, PoolCommand.class, VolumeCommand.class,
  CopyCommand.In.class, CopyCommand.Out.class, BenchCommand.class, TargetCommand.class, DiscoverCommand.class,
  RdmaCommand.class, VerbsCommand.class,
  SimCommand.class,
  RescueCommand.class,
  VersionCommand.class}, footer = {"", "First steps:  remora quickstart", "Help on one:  remora COMMAND --help", ""})
public final class Remora extends CommandGroup {
  static final int FAILED = 1;
  static final int USAGE = 2;

  Remora() {}

  /** Runs the command line and ends the process with its exit code. */
  public static void main(String[] args) {
    System.exit(execute(args));
  }

  /** Runs the command line and returns its exit code. */
  static int execute(String... args) {
    CommandLine line = new CommandLine(new Remora());
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setUsageHelpWidth(100);
    line.setUsageHelpAutoWidth(false);
    line.setExpandAtFiles(false);
    line.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
    line.setParameterExceptionHandler((e, arguments) -> wrongUsage(e, List.of(arguments)));
    line.setExecutionExceptionHandler((e, command, parsed) -> failed(e, command));
    return line.execute(args);
  }

  private static int wrongUsage(ParameterException e, List<String> arguments) {
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    Terminal.system(arguments.contains("--json")).error(Status.INVALID,
        e.getMessage() + "; see '" + command + " --help'");
    return USAGE;
  }

  private static int failed(Exception e, CommandLine line) {
    boolean json = line.getCommand() instanceof Command command && command.json;
    Terminal terminal = Terminal.system(json);
    if (e instanceof RemoraException failure) {
      LoggerFactory.getLogger(Remora.class).debug("failed", failure);
      terminal.error(failure.status(), failure.getMessage());
    } else {
      LoggerFactory.getLogger(Remora.class).info("failed", e);
      terminal.error(Status.INTERNAL,
          e + "; this is a fault of remora's: repeat it with --log-level=info and report what is printed");
    }
    return FAILED;
  }
}
