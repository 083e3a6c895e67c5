"""Flask with confluent-kafka: `gunicorn flask_confluent:app`, two processes of 32 threads, which wait for the acknowledgement."""

from __future__ import annotations

import threading
import time

from confluent_kafka import KafkaException, Producer  # type: ignore[import-not-found]  # never a dependency of the product
from flask import Flask, Response, request
from notifications import BOOTSTRAP, DELIVERED_S, TOPIC, records_of

app = Flask("peer")
producer = Producer({"bootstrap.servers": BOOTSTRAP, "acks": "all", "enable.idempotence": False})


def _serve_acknowledgements() -> None:
    while True:
        producer.poll(1.0)


threading.Thread(target=_serve_acknowledgements, daemon=True).start()


class Delivery:
    """The acknowledgements that a request waits for."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._failed = False
        self._done = threading.Event()

    def settle(self, error: object, _: object) -> None:
        """Called by the client for each record, by one thread."""
        self._left -= 1
        self._failed = self._failed or error is not None
        if not self._left:
            self._done.set()

    def succeeded(self, deadline: float) -> bool:
        """Wait for all of them."""
        return self._done.wait(max(0.0, deadline - time.monotonic())) and not self._failed


@app.post("/hooks/graph")
def take() -> Response:
    """Acknowledge once every proven item is durable."""
    collection = request.get_json()
    items = collection.get("value") if isinstance(collection, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) and item.get("subscriptionId") for item in items):
        return Response(status=400)
    records = records_of(items)
    delivery, deadline = Delivery(len(records)), time.monotonic() + DELIVERED_S
    try:
        for key, value in records:
            producer.produce(TOPIC, value, key, on_delivery=delivery.settle)
    except (BufferError, KafkaException):
        return Response(status=503)
    return Response(status=202 if not records or delivery.succeeded(deadline) else 503)
