/** Tests of the control interface over a real socket. */
@NullMarked
package io.remora.engine.rpc;

import org.jspecify.annotations.NullMarked;
