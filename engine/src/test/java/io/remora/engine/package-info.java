/** Tests of a node in a simulated world. */
@NullMarked
package io.remora.engine;

import org.jspecify.annotations.NullMarked;
