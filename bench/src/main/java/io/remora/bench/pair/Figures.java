package io.remora.bench.pair;

/** What a driver has measured: requests per second, and percentiles of the latency in microseconds. */
record Figures(double iops, double p50Us, double p99Us, double p999Us) {}
