/** One short program for each operation, to read, to run and to copy. Each runs in one process, over any provider. */
@NullMarked
package io.remora.verbs.example;

import org.jspecify.annotations.NullMarked;
