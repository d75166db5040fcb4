/** The contracts over the real back ends, and what is particular to Linux. */
@NullMarked
package io.remora.base.linux;

import org.jspecify.annotations.NullMarked;
