/** Tests of the tools. */
@NullMarked
package io.remora.verbs.tool;

import org.jspecify.annotations.NullMarked;
