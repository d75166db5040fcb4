/** Tests of the block devices. */
@NullMarked
package io.remora.block;

import org.jspecify.annotations.NullMarked;
