/** Micro-benchmarks of the hot paths, for JMH. {@code bench/jmh} runs them. */
@NullMarked
package io.remora.bench;

import org.jspecify.annotations.NullMarked;
