package io.remora.verbs.shm;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Loops;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/** Tests of this process's end with other processes: each has an end of its own, of which nothing is left afterwards. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class BetweenProcesses {
  @SuppressWarnings("NullAway.Init")
  Loops loops;
  @SuppressWarnings("NullAway.Init")
  ThisEnd end;
  private String held = "";

  @BeforeAll
  void start() {
    loops = Loops.start(Loops.Config.of("this", 1));
  }

  @AfterAll
  void stop() {
    loops.close();
  }

  @BeforeEach
  void open() {
    held = ThisEnd.held();
    end = new ThisEnd(loops);
  }

  @AfterEach
  void nothingIsLeft() {
    end.close();
    assertThat(ThisEnd.held()).as("what this process holds").isEqualTo(held);
  }
}
