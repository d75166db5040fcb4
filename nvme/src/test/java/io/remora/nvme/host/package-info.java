/** Tests of the host against a scripted target, in a simulated network. */
@NullMarked
package io.remora.nvme.host;

import org.jspecify.annotations.NullMarked;
