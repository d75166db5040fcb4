package io.remora.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.remora.cli.terminal.Terminal;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What every command has: the common options, a terminal, exit codes 0 (done), 1 (failed) and 2 (wrong usage). */
abstract class Command implements Callable<Integer> {
  /** The levels that {@code --log-level} takes. */
  enum LogLevel {
    error, warn, info, debug, trace
  }

  @Option(names = "--json", description = "Print the result as one JSON object, errors too.")
  boolean json;

  @Option(names = "--log-level", paramLabel = "LEVEL", defaultValue = "warn", description = "What to log on stderr: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  LogLevel logLevel = LogLevel.warn;

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "Print this help.")
  boolean help;

  @Spec
  CommandSpec spec;

  /** Does the work and returns the exit code. */
  abstract int run(Terminal terminal) throws Exception;

  @Override
  public final Integer call() throws Exception {
    if (logLevel != LogLevel.warn) {
      ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.toLevel(logLevel.name()));
    }
    return run(Terminal.system(json));
  }

  /** An error in how the command was called. */
  final ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
