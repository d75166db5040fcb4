/** The test matrix of {@code remora bench matrix}: its cells, what came of each, and how they are kept and shown. */
@NullMarked
package io.remora.cli.matrix;

import org.jspecify.annotations.NullMarked;
