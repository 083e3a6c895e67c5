"""What speed and memory cost, measured: ratios against something run beside it."""
