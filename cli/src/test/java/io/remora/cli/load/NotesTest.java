package io.remora.cli.load;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NotesTest {
  @Test
  void neverGivesABlockTwiceAtOnce() {
    Notes notes = new Notes(3);
    assertThat(notes.take(2)).isEqualTo(2);
    assertThat(notes.take(2)).isEqualTo(0);
    assertThat(notes.take(2)).isEqualTo(1);
    assertThat(notes.take(2)).isEqualTo(-1);
    notes.release(0);
    assertThat(notes.take(1)).isEqualTo(0);
  }

  @Test
  void countsWritesWhetherBusyOrNot() {
    Notes notes = new Notes(1);
    assertThat(notes.generation(0)).isZero();
    assertThat(notes.nextGeneration(0)).isEqualTo(1);
    assertThat(notes.take(0)).isZero();
    assertThat(notes.nextGeneration(0)).isEqualTo(2);
    assertThat(notes.generation(0)).isEqualTo(2);
    notes.release(0);
    assertThat(notes.generation(0)).isEqualTo(2);
  }
}
