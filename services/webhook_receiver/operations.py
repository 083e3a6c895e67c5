"""What the command line may use of webhook_receiver: the record that a notification becomes."""

from __future__ import annotations

from services.webhook_receiver.protocols.push import Hint
from services.webhook_receiver.records import hint_record

__all__ = ["Hint", "hint_record"]
