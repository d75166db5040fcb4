/**
 * iWARP in user space: MPA (RFC 5044, 6581), DDP (RFC 5041) and RDMAP (RFC 5040) over the stream sockets of a loop, without privileges. A peer may be another process with
 * this provider, Linux's {@code siw}, or a network card. Knows nothing of other providers.
 */
@NullMarked
package io.remora.verbs.iwarp;

import org.jspecify.annotations.NullMarked;
