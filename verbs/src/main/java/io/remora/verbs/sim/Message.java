package io.remora.verbs.sim;

import io.remora.verbs.SendOpcode;
import java.lang.foreign.MemorySegment;

/**
 * A request as it travels, with a copy of its data.
 *
 * @param from the sending queue pair
 * @param connection which connection of that queue pair's lives it belongs to
 * @param sequence its number in the connection
 * @param data of sends and writes, on the heap; empty for others
 * @param length of reads, in bytes
 */
record Message(int from, long connection, long sequence, SendOpcode opcode, boolean solicited, int immediate,
    int invalidateKey,
    long remoteAddress, int remoteKey, long compareOrAdd, long swap, int queueKey, MemorySegment data, int length) {}
