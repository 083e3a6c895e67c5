"""The simulated Google Calendar v3 and the room list of its Directory, on the shared world."""

from simulator.google.blueprint import blueprint, register
from simulator.google.side import GoogleSide

__all__ = ["GoogleSide", "blueprint", "register"]
