"""What `benchmarks.bench_receivers` is made of: the receivers that are compared, the load on them, and what they used."""
