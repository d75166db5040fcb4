/** A fabric without a network: queue pairs of one process, on real or simulated loops, with delays, losses and broken connections on demand. */
@NullMarked
package io.remora.verbs.sim;

import org.jspecify.annotations.NullMarked;
