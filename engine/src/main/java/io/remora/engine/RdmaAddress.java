package io.remora.engine;

import java.net.InetSocketAddress;

/**
 * Where hosts connect by RDMA.
 *
 * @param provider whose device it is: {@code ibverbs}, {@code iwarp}, {@code shm}
 * @param device its name
 * @param fabric what it speaks, for people
 * @param address where it listens
 */
public record RdmaAddress(String provider, String device, String fabric, InetSocketAddress address) {}
