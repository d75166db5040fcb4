/** Tools that speak with those of rdma-core over any provider: {@code rping}'s two ends. Built on the verbs' interface alone. */
@NullMarked
package io.remora.verbs.tool;

import org.jspecify.annotations.NullMarked;
