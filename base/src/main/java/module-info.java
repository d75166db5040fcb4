/**
 * The ground floor: everything that a run cannot repeat (time, randomness, network, disks, scheduling) enters here, once
 * real ({@code linux}, not exported) and once simulated ({@code sim}).
 */
module io.remora.base {
  requires static transitive org.jspecify;

  exports io.remora.base;
  exports io.remora.base.sim;
}
