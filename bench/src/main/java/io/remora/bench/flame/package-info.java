/** Pictures of where the processor's time goes ({@code bench/flame}). */
@NullMarked
package io.remora.bench.flame;

import org.jspecify.annotations.NullMarked;
