/** Tests of the simulated ground floor. */
@NullMarked
package io.remora.base.sim;

import org.jspecify.annotations.NullMarked;
