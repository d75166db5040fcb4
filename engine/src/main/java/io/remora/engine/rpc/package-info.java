/**
 * The node's control interface: gRPC over a Unix socket in the data folder. No type of gRPC or protobuf leaves this package;
 * data never passes through it.
 */
@NullMarked
package io.remora.engine.rpc;

import org.jspecify.annotations.NullMarked;
