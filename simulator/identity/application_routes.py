"""Registering applications over HTTP, as the administrators' consoles of the providers let people do it: `/sim/v1/applications`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.identity.applications import change
from simulator.identity.model import Provider
from simulator.identity.provider import IdentityProvider
from simulator.world import World
from simulator.world.errors import InvalidError, NotThereError

_PATH = "/sim/v1/applications"
_PROVIDERS: dict[str, Provider] = {"microsoft": "microsoft", "google": "google"}

Reply = tuple[Response, int]


def add(routes: Blueprint, world: World, identity: IdentityProvider) -> None:
    """Add the routes, each under the world's lock, and how they refuse."""

    def listed() -> Reply:
        with world.lock:
            return jsonify({"applications": [one.as_dict() for one in identity.applications.all()]}), 200

    def register() -> Reply:
        sent = _sent()
        provider = _PROVIDERS.get(str(sent.pop("provider", "")))
        if provider is None:
            message = "provider must be microsoft or google"
            raise InvalidError(message)
        with world.lock:
            made = identity.applications.register(provider, str(sent.pop("tenant", "")), sent)
            return jsonify(made.as_dict()), 201

    def update(client_id: str) -> Reply:
        sent = _sent()
        with world.lock:
            return jsonify(change(identity.applications.get(client_id), sent).as_dict()), 200

    def add_secret(client_id: str) -> Reply:
        with world.lock:
            return jsonify({"secret": identity.applications.add_secret(client_id)}), 201

    def remove(client_id: str) -> Reply:
        identity.remove_application(client_id)
        return jsonify({}), 200

    routes.add_url_rule(_PATH, "applications", listed)
    routes.add_url_rule(_PATH, "register-application", register, methods=["POST"])
    routes.add_url_rule(f"{_PATH}/<client_id>", "change-application", update, methods=["PATCH"])
    routes.add_url_rule(f"{_PATH}/<client_id>", "remove-application", remove, methods=["DELETE"])
    routes.add_url_rule(f"{_PATH}/<client_id>/secrets", "add-secret", add_secret, methods=["POST"])
    routes.register_error_handler(NotThereError, lambda error: (jsonify({"error": str(error)}), 404))
    routes.register_error_handler(InvalidError, lambda error: (jsonify({"error": str(error)}), 400))


def _sent() -> dict[str, Any]:
    value = request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        message = "send a JSON object"
        raise InvalidError(message)
    return value
