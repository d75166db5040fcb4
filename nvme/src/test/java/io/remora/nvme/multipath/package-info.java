/** Tests of one device over several paths, mostly in a simulated network. */
@NullMarked
package io.remora.nvme.multipath;

import org.jspecify.annotations.NullMarked;
