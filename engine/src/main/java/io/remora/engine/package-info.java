/**
 * One storage node's data plane put together: pools, volumes, publications, listeners, and what of that is restored after a
 * crash. It reaches time, network and disks through {@code base} only, so a simulator can drive it; it knows no cluster.
 */
@NullMarked
package io.remora.engine;

import org.jspecify.annotations.NullMarked;
