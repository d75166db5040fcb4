package io.remora.nvme.host;

import java.lang.foreign.MemorySegment;

/**
 * What an I/O queue needs to know to join an association. Immutable.
 *
 * @param association its number
 * @param link for the transport
 * @param entries of the submission queue
 * @param limit commands in flight
 * @param maxTransferBytes the most data of one command
 * @param info what the controller can do
 * @param data of the Connect command
 */
record QueueConnect(int association, HostTransport.Link link, int entries, int limit, long maxTransferBytes,
    ControllerInfo info, MemorySegment data) {}
