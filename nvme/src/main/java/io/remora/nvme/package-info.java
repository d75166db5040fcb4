/**
 * NVMe structures and values, as the specifications lay them out: NVMe Base 2.0, NVM Command Set 1.0, NVMe-oF 1.1, TCP
 * Transport 1.0. All of it is little-endian.
 */
@NullMarked
package io.remora.nvme;

import org.jspecify.annotations.NullMarked;
