package io.remora.engine;

import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a volume is published.
 *
 * @param nqn the name of its subsystem
 * @param transport the fabric, as the {@code nvme connect} command calls it
 * @param address where to connect
 * @param rdma where to connect by RDMA; null: nowhere
 * @param allowedHosts which hosts may; empty: any
 * @param connectedHosts how many are connected now
 * @param writeProtected whether hosts may only read it: one of them said so, or its pool takes no writes
 */
public record PublicationInfo(String nqn, String transport, InetSocketAddress address, @Nullable RdmaAddress rdma,
    List<String> allowedHosts, int connectedHosts, boolean writeProtected) {}
