package io.remora.nvme.target;

import java.net.InetSocketAddress;

/**
 * One host's association with a subsystem, for people.
 *
 * @param controllerId its controller's identifier
 * @param hostNqn who it is
 * @param address from where its admin queue is connected
 * @param ioQueues how many I/O queues it has connected
 */
public record HostConnection(int controllerId, String hostNqn, InetSocketAddress address, int ioQueues) {}
