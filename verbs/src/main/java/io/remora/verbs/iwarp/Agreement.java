package io.remora.verbs.iwarp;

/**
 * What the two ends of a connection have agreed on.
 *
 * @param responderResources reads and atomics that this end serves at once
 * @param initiatorDepth reads and atomics that this end may have under way at once
 * @param crc frames carry checksums
 * @param extended operations of RFC 7306 may be used
 * @param starts this end sends the first frame by itself
 * @param startsByRead and that is an empty Read Request, not an empty Write
 */
record Agreement(int responderResources, int initiatorDepth, boolean crc, boolean extended, boolean starts,
    boolean startsByRead) {}
