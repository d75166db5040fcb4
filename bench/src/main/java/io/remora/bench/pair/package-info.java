/**
 * Measurements side by side: {@code remora target} and any other NVMe/TCP target, driven in turn by the same drivers on the same two
 * processors, pair by pair ({@code bench/run}). The method is in docs/perf/README.md.
 */
@NullMarked
package io.remora.bench.pair;

import org.jspecify.annotations.NullMarked;
