/**
 * Loops, sockets and disks on Linux, by system calls through the FFM API: io_uring where it is permitted, epoll and a helper
 * thread everywhere else.
 *
 * <p>Not exported: the rest of the house knows {@link io.remora.base.Loops} only. Why system calls and no library, why readiness
 * for sockets and completion for disks: docs/adr/0001-event-loop.md.
 */
@NullMarked
package io.remora.base.linux;

import org.jspecify.annotations.NullMarked;
