/**
 * RDMA on network cards and the kernel's software devices: libibverbs and librdmacm, called through {@code java.lang.foreign}.
 *
 * <p>The libraries are looked for at run time; without them the provider is there and says what is missing. Work requests are posted and completions polled
 * by the functions in a context's table, as the inline functions of the C header do. The layouts of the C structures stand in the {@code Layout} classes, and a
 * test compares them with the headers of the machine.
 */
@NullMarked
package io.remora.verbs.ibverbs;

import org.jspecify.annotations.NullMarked;
