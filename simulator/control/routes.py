"""The control API: whoever drives the simulator makes organisations, books, decides for rooms and reads the truth."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request

from simulator.control import parse, render
from simulator.world import InvalidError, Meeting, NotThereError, TakenError, World, WorldError
from simulator.world.model import Provider

EXTENSION = "simulator.world"
control = Blueprint("control", __name__, url_prefix="/sim/v1")
health = Blueprint("health", __name__)

_PROVIDERS: dict[str, Provider] = {"microsoft": "microsoft", "google": "google"}
_STATUS: dict[type[WorldError], int] = {NotThereError: 404, TakenError: 409, InvalidError: 400}

Reply = Response | tuple[Response, int]


def world() -> World:
    """The world of the app that serves the current request."""
    found: World = current_app.extensions[EXTENSION]
    return found


@control.errorhandler(WorldError)
def answer_refusal(error: WorldError) -> Reply:
    """What the world refused, and why."""
    return jsonify({"error": str(error)}), _STATUS.get(type(error), 400)


@control.post("/tenants")
def make_tenant() -> Reply:
    """An organisation at one provider."""
    sent = parse.body()
    provider = _PROVIDERS.get(parse.text(sent, "provider"))
    if provider is None:
        message = "provider must be microsoft or google"
        raise InvalidError(message)
    with world().lock:
        made = world().directory.add_tenant(
            provider,
            parse.text(sent, "name"),
            parse.text(sent, "domain"),
            auto_replace=bool(sent.get("autoReplace", False)),
            secondary_domains=tuple(str(each).lower() for each in sent.get("secondaryDomains") or ()),
            unverified_domains=tuple(str(each).lower() for each in sent.get("unverifiedDomains") or ()),
        )
        return jsonify(render.tenant(made)), 201


@control.post("/users")
def make_user() -> Reply:
    """A person."""
    sent = parse.body()
    with world().lock:
        made = world().directory.add_user(
            parse.text(sent, "tenant"),
            parse.text(sent, "name"),
            parse.text(sent, "address"),
            str(sent.get("timeZone") or "UTC"),
            sign_in_name=str(sent.get("signInName") or ""),
            aliases=tuple(str(each) for each in sent.get("aliases") or ()),
        )
        return jsonify(render.user(made)), 201


@control.post("/rooms")
def make_room() -> Reply:
    """A room with its rules."""
    sent = parse.body()
    with world().lock:
        made = world().directory.add_room(
            parse.text(sent, "tenant"),
            parse.text(sent, "name"),
            parse.text(sent, "address"),
            capacity=int(sent.get("capacity") or 8),
            building=str(sent.get("building") or ""),
            floor=str(sent.get("floor") or ""),
            rules=parse.rules(sent.get("rules")),
            equipment=tuple(str(each) for each in sent.get("equipment") or ()),
            accessible=None if sent.get("accessible") is None else bool(sent["accessible"]),
        )
        made.section, made.description = str(sent.get("section") or ""), str(sent.get("description") or "")
        return jsonify(render.room(made)), 201


@control.patch("/rooms/<room_id>")
def change_room(room_id: str) -> Reply:
    """Other rules for a room, from its next decision on."""
    sent = parse.body()
    with world().lock:
        found = world().directory.room(room_id)
        found.rules = parse.rules(sent.get("rules"))
        return jsonify(render.room(found))


@control.post("/meetings")
def book() -> Reply:
    """A meeting made by somebody in their own calendar program."""
    sent = parse.body()
    with world().lock:
        draft = parse.draft(world(), sent)
        made = world().bookings.create(parse.text(sent, "organizer"), draft)
        return jsonify(render.meeting(world(), made)), 201


@control.patch("/meetings/<meeting_id>")
def change(meeting_id: str) -> Reply:
    """Move it, rename it, or change who and where; `occurrence` names one date of a series."""
    sent = parse.body()
    with world().lock:
        found = _meeting(meeting_id)
        key = parse.occurrence(sent.get("occurrence"))
        rooms = world().directory
        present = {
            address: "resource" if rooms.find(address) in rooms.rooms.values() else "required"
            for address in found.attendees_at(key)
        }
        world().bookings.update(found, parse.edit(world(), sent, present), key)
        return jsonify(render.meeting(world(), found))


@control.delete("/meetings/<meeting_id>")
def cancel(meeting_id: str) -> Reply:
    """Cancel it, or the one date that `?occurrence=` names."""
    key = request.args.get("occurrence")
    with world().lock:
        found = _meeting(meeting_id)
        world().bookings.cancel(found, _key(key))
        return jsonify(render.meeting(world(), found))


@control.post("/rooms/<room_id>/answers")
def decide(room_id: str) -> Reply:
    """A person decides for a room, at any time and in any direction; `released` takes an accepted room back."""
    sent = parse.body()
    with world().lock:
        room = world().directory.room(room_id)
        found = _meeting(parse.text(sent, "meeting"))
        key = parse.occurrence(sent.get("occurrence"))
        if sent.get("answer") == "released":
            world().desk.release(found, room.address, key)
        else:
            world().desk.answer(found, room.address, parse.answer(sent), occurrence=key)
        return jsonify(render.meeting(world(), found))


@control.post("/users/<user_id>/answers")
def answer(user_id: str) -> Reply:
    """A guest answers an invitation in their own calendar program."""
    sent = parse.body()
    with world().lock:
        user = world().directory.user(user_id)
        found = _meeting(parse.text(sent, "meeting"))
        world().desk.answer(
            found,
            user.address,
            parse.answer(sent),
            occurrence=parse.occurrence(sent.get("occurrence")),
            comment=str(sent.get("comment") or ""),
            send_response=sent.get("sendResponse", True) is not False,
        )
        return jsonify(render.meeting(world(), found))


@control.post("/tenants/<tenant_id>/consent")
def tenant_consent(tenant_id: str) -> Reply:
    """The simulated Entra administrator consents for everybody (`scopes`: to these), or takes it back (`granted` false)."""
    sent = parse.body()
    if not isinstance(sent.get("granted"), bool):
        message = "granted must be true or false"
        raise InvalidError(message)
    return jsonify(world().identity.grant_tenant(tenant_id, sent.get("scopes"), granted=sent["granted"]))


@control.post("/users/<user_id>/consents")
def consent(user_id: str) -> Reply:
    """Grant beforehand, or take back the grant at the provider."""
    sent = parse.body()
    if not isinstance(sent.get("granted"), bool):
        message = "granted must be true or false"
        raise InvalidError(message)
    user = world().directory.user(user_id)
    given = world().identity.set_consent(
        user.id, granted=sent["granted"], client_id=sent.get("client"), scopes=sent.get("scopes")
    )
    return jsonify(given)


@control.get("/users/<user_id>/consents")
def consents(user_id: str) -> Reply:
    """The person's grants as the provider holds them, whatever anybody else has deleted of theirs."""
    return jsonify({"consents": world().identity.consents(user_id)})


@control.get("/users/<owner>/calendar")
@control.get("/rooms/<owner>/calendar")
def calendar(owner: str) -> Reply:
    """What one mailbox holds."""
    with world().lock:
        return jsonify({"calendar": render.agenda(world(), world().directory.mailbox(owner))})


def _meeting(meeting_id: str) -> Meeting:
    return world().calendar.meeting(meeting_id)


def _key(text: str | None) -> int | None:
    if text is None:
        return None
    return int(text) if text.isdigit() else parse.instant(text, "occurrence")
