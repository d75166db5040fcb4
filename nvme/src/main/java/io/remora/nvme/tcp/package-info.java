/**
 * NVMe/TCP: the PDUs and, for both ends, how they carry commands and data (NVMe/TCP Transport 1.0).
 */
@NullMarked
package io.remora.nvme.tcp;

import org.jspecify.annotations.NullMarked;
