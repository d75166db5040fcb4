package io.remora.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class TableTest {
  @Test
  void alignsColumns() {
    Table table = new Table("NAME", ">SIZE", "STATE").row("a", 5, "online").row("volume-1", 1234567, "");
    assertThat(table.lines()).containsExactly("NAME         SIZE  STATE", "a               5  online",
        "volume-1  1234567");
  }

  @Test
  void refusesARowThatDoesNotFit() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Table("A", "B").row("only one"));
  }
}
