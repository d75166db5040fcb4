/**
 * The {@code remora} command: reads options, finds the node, prints tables or JSON. Everything that it can do to data is done
 * by the floors below; here are words, numbers for people, and exit codes.
 */
@NullMarked
package io.remora.cli;

import org.jspecify.annotations.NullMarked;
