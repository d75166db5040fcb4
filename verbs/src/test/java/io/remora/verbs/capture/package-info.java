/** Packet captures of real kernels among the test resources. */
@NullMarked
package io.remora.verbs.capture;

import org.jspecify.annotations.NullMarked;
