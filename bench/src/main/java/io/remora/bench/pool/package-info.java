/** How long large pools take to import, to list and to fill with volumes. */
@NullMarked
package io.remora.bench.pool;

import org.jspecify.annotations.NullMarked;
