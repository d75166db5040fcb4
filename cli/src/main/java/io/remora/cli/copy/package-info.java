/** Copies between a byte stream or file and a block device, by a thread that may block. Knows no command. */
@NullMarked
package io.remora.cli.copy;

import org.jspecify.annotations.NullMarked;
