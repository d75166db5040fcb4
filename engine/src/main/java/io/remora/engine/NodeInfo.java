package io.remora.engine;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/**
 * How a node is.
 *
 * @param uuid its identity
 * @param dataFolder where its state lies
 * @param listeners where hosts connect by TCP
 * @param rdma what has become of RDMA
 * @param startedWallMs when it was started, milliseconds since 1970
 * @param loops how many loops serve I/O
 */
public record NodeInfo(UUID uuid, Path dataFolder, List<InetSocketAddress> listeners, RdmaInfo rdma, long startedWallMs,
    int loops) {}
