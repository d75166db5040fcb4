/** Runs the simulator, and proves that it finds bugs. */
@NullMarked
package io.remora.sim;

import org.jspecify.annotations.NullMarked;
