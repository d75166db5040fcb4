/** What real loops have to do, on every back end. */
@NullMarked
package io.remora.base;

import org.jspecify.annotations.NullMarked;
