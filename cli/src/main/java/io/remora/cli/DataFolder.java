package io.remora.cli;

import io.remora.engine.rpc.ControlClient;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option that says which node is meant: the one whose data folder this is. */
final class DataFolder {
  @Option(names = "--data", paramLabel = "DIR", description = {
    "The node's data folder. Default: $REMORA_DATA, else /var/lib/remora"
        + " for root, else $XDG_STATE_HOME/remora or ~/.local/state/remora."})
  @Nullable
  Path folder;

  /** The folder, absolute. */
  Path path() {
    Path chosen = folder;
    return (chosen == null
        ? fallback(System.getenv(), System.getProperty("user.name", ""),
            System.getProperty("user.home", "/"))
        : chosen).toAbsolutePath().normalize();
  }

  /** A client of the node. */
  ControlClient connect() {
    return new ControlClient(path());
  }

  static Path fallback(Map<String, String> environment, String user, String home) {
    String named = environment.getOrDefault("REMORA_DATA", "");
    if (!named.isEmpty()) {
      return Path.of(named);
    }
    if (user.equals("root")) {
      return Path.of("/var/lib/remora");
    }
    String state = environment.getOrDefault("XDG_STATE_HOME", "");
    return (state.isEmpty() ? Path.of(home, ".local", "state") : Path.of(state)).resolve("remora");
  }
}
