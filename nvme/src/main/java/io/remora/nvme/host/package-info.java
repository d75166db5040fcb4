/**
 * The host end of NVMe over Fabrics: it brings controllers up and keeps them up, and offers their namespaces as block devices.
 *
 * <p>This package knows nothing of TCP or RDMA: a {@link io.remora.nvme.host.HostTransport} carries commands and data.
 */
@NullMarked
package io.remora.nvme.host;

import org.jspecify.annotations.NullMarked;
