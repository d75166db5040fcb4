/** How results, progress and errors look to people and to programs: sizes, tables, bars, JSON. Knows no command. */
@NullMarked
package io.remora.cli.terminal;

import org.jspecify.annotations.NullMarked;
