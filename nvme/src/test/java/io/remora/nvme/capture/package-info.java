/** Packet captures of real kernels: reading them, and holding our encoders against them. */
@NullMarked
package io.remora.nvme.capture;

import org.jspecify.annotations.NullMarked;
