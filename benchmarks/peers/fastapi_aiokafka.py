"""FastAPI with aiokafka: `uvicorn fastapi_aiokafka:app`, one process, uvloop and httptools; the body is read by pydantic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer  # type: ignore[import-not-found]  # never a dependency of the product
from aiokafka.errors import KafkaError  # type: ignore[import-not-found]
from fastapi import FastAPI, Response  # type: ignore[import-not-found]
from notifications import BOOTSTRAP, DELIVERED_S, TOPIC, mailbox_of, record_of
from pydantic import BaseModel  # type: ignore[import-not-found]


class Item(BaseModel):  # type: ignore[misc]
    """A changeNotification."""

    subscriptionId: str  # noqa: N815  # Graph's names
    changeType: str = ""  # noqa: N815
    clientState: str = ""  # noqa: N815


class Collection(BaseModel):  # type: ignore[misc]
    """A changeNotificationCollection."""

    value: list[Item]


producers: list[AIOKafkaProducer] = []


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Keep one producer while the application runs."""
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, acks="all")
    await producer.start()
    producers.append(producer)
    yield
    await producer.stop()


app = FastAPI(lifespan=lifespan)


@app.post("/hooks/graph")  # type: ignore[untyped-decorator]
async def take(collection: Collection) -> Response:
    """Acknowledge once every proven item is durable."""
    proven = ((mailbox_of(item.clientState), item) for item in collection.value)
    records = [(key, record_of(item.subscriptionId, item.changeType)) for key, item in proven if key]
    try:
        async with asyncio.timeout(DELIVERED_S):
            sent = [await producers[0].send(TOPIC, value, key) for key, value in records]
            await asyncio.gather(*sent)
    except (KafkaError, TimeoutError):
        return Response(status_code=503)
    return Response(status_code=202)
