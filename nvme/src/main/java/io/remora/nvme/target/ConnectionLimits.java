package io.remora.nvme.target;

import io.remora.base.Check;

/**
 * How many hosts and connections a target serves. Memory limits the number of connections as well: see {@link TargetConfig}.
 *
 * @param connections the most connections of the target; further ones are closed as they come in
 * @param newcomersPerLoop the most connections on one loop that have not come to Connect; the oldest gives way to another
 * @param controllers the most controllers of the target; Connect is answered with "controller busy"
 * @param controllersPerHost the most controllers that one host has in one subsystem; likewise
 */
public record ConnectionLimits(int connections, int newcomersPerLoop, int controllers, int controllersPerHost) {
  /** Limits for a machine of today. */
  public static final ConnectionLimits DEFAULT = new ConnectionLimits(4096, 64, 2048, 64);

  /** Checks the limits. */
  public ConnectionLimits {
    Check.argument(connections >= 1, "%d connections: at least 1", connections);
    Check.argument(newcomersPerLoop >= 1, "%d new connections: at least 1", newcomersPerLoop);
    Check.argument(controllers >= 1, "%d controllers: at least 1", controllers);
    Check.argument(controllersPerHost >= 1, "%d controllers per host: at least 1", controllersPerHost);
  }
}
