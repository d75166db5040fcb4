/** What the whole tree has to obey: layers, banned calls, names, files. */
@NullMarked
package io.remora.tidy;

import org.jspecify.annotations.NullMarked;
