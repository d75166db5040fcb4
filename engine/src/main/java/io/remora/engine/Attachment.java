package io.remora.engine;

import java.net.InetSocketAddress;

/**
 * A volume that is published to one host for a while, beside what else it is published as; gone after a restart.
 *
 * @param nqn the name of its subsystem, made for this attachment
 * @param address where to connect
 * @param volume the volume
 */
public record Attachment(String nqn, InetSocketAddress address, VolumeInfo volume) {}
