package io.remora.nvme.host;

import io.remora.base.Status;

/**
 * A controller's state with its reason, and what has happened so far. A snapshot.
 *
 * @param state how it is doing
 * @param reason why, as a status; OK when all is well
 * @param text why, for people; empty when all is well
 * @param sinceMillis since when, wall time
 * @param attempts attempts to reconnect since a connection was last good for a while
 * @param losses how often a live connection was lost
 * @param resets how often the host itself reset the controller: time-outs and protocol errors
 * @param aborts Abort commands sent for I/O that took too long
 */
public record HostStatus(HostState state, Status reason, String text, long sinceMillis, int attempts, long losses,
    long resets, long aborts) {}
