/** Tests of the pool. */
@NullMarked
package io.remora.block.pool;

import org.jspecify.annotations.NullMarked;
