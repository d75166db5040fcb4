/** What iWARP costs beside a plain TCP stream of the same loops ({@code bench/iwarp}). */
@NullMarked
package io.remora.bench.iwarp;

import org.jspecify.annotations.NullMarked;
