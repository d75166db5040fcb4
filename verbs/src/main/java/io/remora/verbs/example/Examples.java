package io.remora.verbs.example;

import java.util.List;

/** The examples. */
public final class Examples {
  /** All of them, simple ones first. */
  public static final List<Example> ALL = List.of(new SendExample(), new WriteExample(), new ReadExample(),
      new ImmediateExample(),
      new AtomicExample(), new WindowExample(), new InvalidateExample(), new DatagramExample());

  private Examples() {}
}
