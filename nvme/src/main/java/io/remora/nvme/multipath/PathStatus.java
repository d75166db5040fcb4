package io.remora.nvme.multipath;

import io.remora.nvme.AnaState;
import java.net.InetSocketAddress;

/**
 * A path's state with its reason. A snapshot.
 *
 * @param address of the controller
 * @param state how it is doing
 * @param access how well it reaches the namespace by ANA; INACCESSIBLE while it is not live
 * @param cntlid its controller, 0 while it is not live
 * @param text why, for people; empty when all is well
 * @param losses how often its connection was lost
 */
public record PathStatus(InetSocketAddress address, PathState state, AnaState access, int cntlid, String text,
    long losses) {}
