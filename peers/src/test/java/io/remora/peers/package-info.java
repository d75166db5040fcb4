/**
 * Tests against programs that nobody here wrote: stock Linux kernels as host and as target, nvme-cli, fio, ext4.
 *
 * <p>The kernels run in a small virtual machine ({@link io.remora.peers.Guest}); Remora runs as processes of its own
 * ({@link io.remora.peers.RemoraProcess}), started, killed and started again from outside. What a machine cannot run is skipped,
 * with the reason in one line. {@code REMORA_GUEST_KERNELS='linux-image-amd64 linux-image-6.12-amd64'} has the tests run once with each of these Debian
 * kernels instead of the tool's own choice; {@code REMORA_GUEST} says where the tool is.
 */
@NullMarked
package io.remora.peers;

import org.jspecify.annotations.NullMarked;
