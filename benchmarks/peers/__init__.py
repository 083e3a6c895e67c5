"""
Receivers written as one would without roomsync, to measure beside ours: each does what ours does with a push of Graph, and no more.

Each reads the body as JSON, checks the proof in `clientState` (an HMAC-SHA256 compared in constant time, as ours), appends
one record an item to the topic with `acks=all`, and answers 202 once the brokers have acknowledged all of them; else 400 or
503. None has deadlines, limits of connections and bodies, a breaker, traces, metrics or gap signals, which ours has.
"""
