package io.remora.base.sim;

/** A simulation has failed: a task threw, a checker objected, or a condition did not come true. The message has the seed. */
public final class SimulationFailure extends AssertionError {
  private static final long serialVersionUID = 1L;

  SimulationFailure(String message) {
    super(message);
  }

  SimulationFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
