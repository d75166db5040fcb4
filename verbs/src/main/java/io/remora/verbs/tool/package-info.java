/**
 * Tools that speak with those of others over any provider: the two ends of rdma-core's {@code rping}, and of perftest's bandwidth programs. Built on the verbs' interface alone.
 */
@NullMarked
package io.remora.verbs.tool;

import org.jspecify.annotations.NullMarked;
