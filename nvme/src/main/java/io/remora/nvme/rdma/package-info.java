/**
 * NVMe over RDMA, both ends (NVMe RDMA Transport 1.0), over the verbs of any provider.
 *
 * <p>The controller moves all data: it reads what the host writes, and writes what the host reads, through keys that the host hands out with each command and
 * withdraws before the command completes. Nobody holds a key to memory of the controller.
 */
@NullMarked
package io.remora.nvme.rdma;

import org.jspecify.annotations.NullMarked;
