/**
 * The load generator behind {@code remora bench} and {@code remora quickstart}: fio's words on any block device. One job per
 * loop, a fixed number of requests in flight each, no allocation per request.
 *
 * <p>It is a closed loop: a request is sent when one has come back. While a device stalls, at most {@code iodepth} requests feel it,
 * so percentiles understate what clients that keep arriving would see (coordinated omission); compare at equal depth.
 */
@NullMarked
package io.remora.cli.load;

import org.jspecify.annotations.NullMarked;
