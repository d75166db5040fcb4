/** The shm provider, within a process and between processes. */
@NullMarked
package io.remora.verbs.shm;

import org.jspecify.annotations.NullMarked;
