package io.remora.sim;

/** Changes how fast the network is. */
final class SlowNetwork implements Enemy {
  private static final int MAX_LATENCY_BITS = 30;

  @Override
  public String name() {
    return "slow network";
  }

  @Override
  public long meanPauseNs() {
    return 100_000_000L;
  }

  @Override
  public void strike(World world) {
    long maxNs = 1_000L << world.random().nextInt(MAX_LATENCY_BITS - 10);
    world.trace().add("net", "latency up to %d us", maxNs / 1000);
    world.simulation().net().latency(maxNs / 10, maxNs);
  }
}
