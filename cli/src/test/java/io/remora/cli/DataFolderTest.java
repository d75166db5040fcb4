package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DataFolderTest {
  @Test
  void findsTheDataFolder() {
    assertThat(DataFolder.fallback(Map.of("REMORA_DATA", "/x", "XDG_STATE_HOME", "/s"), "root", "/root"))
        .isEqualTo(Path.of("/x"));
    assertThat(DataFolder.fallback(Map.of("XDG_STATE_HOME", "/s"), "root", "/root"))
        .isEqualTo(Path.of("/var/lib/remora"));
    assertThat(DataFolder.fallback(Map.of("XDG_STATE_HOME", "/s"), "ann", "/home/ann")).isEqualTo(Path.of("/s/remora"));
    assertThat(DataFolder.fallback(Map.of(), "ann", "/home/ann")).isEqualTo(Path.of("/home/ann/.local/state/remora"));
  }
}
