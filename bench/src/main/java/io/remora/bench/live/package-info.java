/** What a node costs as its users run it: start, idle, memory, allocation under load ({@code bench/idle}). */
@NullMarked
package io.remora.bench.live;

import org.jspecify.annotations.NullMarked;
