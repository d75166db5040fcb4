/**
 * What providers in software share: protection domains, keys, completion queues, receive queues, and the queue pair's state machine with its send queue, which
 * completes and flushes in order. A provider adds the transport and the connection manager. Not for users.
 */
@NullMarked
package io.remora.verbs.soft;

import org.jspecify.annotations.NullMarked;
