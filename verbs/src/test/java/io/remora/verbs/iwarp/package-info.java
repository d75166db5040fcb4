/** Tests of iWARP: frames, captures of Linux's siw, connections. */
@NullMarked
package io.remora.verbs.iwarp;

import org.jspecify.annotations.NullMarked;
