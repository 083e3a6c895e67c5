"""Every way to alter a proof that somebody has come by: none is accepted, for nobody's mailbox."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator

import pytest

from services.webhook_receiver.protocols import google, graph
from services.webhook_receiver.protocols.push import Notifications, ReadPush
from shared.crypto.master import new_key, parse
from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import HookKeys, mint

OLD, NEW, STRANGE = (parse(new_key()).hook_keys() for _ in range(3))
KEYS = HookKeys(NEW.current, {**NEW.ring, **OLD.ring})
ADA, BEN = Mailbox("t-0000000000000001", "m-ada"), Mailbox("t-0000000000000002", "m-ben")
CHANNEL, OTHER_CHANNEL = "c" * 32, "d" * 32
SPECIAL = ("", ".", "..", " ", "\x00", "é", "*", "0", "m-ben", "a" * 65)


def proofs_of(mailbox: Mailbox) -> dict[str, str]:
    """Both providers' for one mailbox, under the current and the retired key."""
    return {
        f"{name} {age}": mint(keys, mailbox, provider, channel)
        for age, keys in (("new", NEW), ("old", OLD))
        for name, provider, channel in (("graph", Provider.MICROSOFT, ""), ("google", Provider.GOOGLE, CHANNEL))
    }


def altered(proof: str, other: str) -> Iterator[str]:
    """One proof, changed in one thing; `other` is as good, of another mailbox."""
    parts, foreign = proof.split("."), other.split(".")
    for place in range(len(parts)):
        changed = [*parts]
        changed[place] = foreign[place] if foreign[place] != parts[place] else "x"
        yield ".".join(changed)
        for value in SPECIAL:
            yield ".".join([*parts[:place], value, *parts[place + 1 :]])
        yield ".".join([*parts[:place], *parts[place + 1 :]])
    for left, right in itertools.combinations(range(len(parts)), 2):
        swapped = [*parts]
        swapped[left], swapped[right] = parts[right], parts[left]
        yield ".".join(swapped)
    mac = parts[-1]
    raw = base64.urlsafe_b64decode(mac)
    for at in range(len(raw)):
        flipped = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        yield ".".join([*parts[:-1], base64.urlsafe_b64encode(flipped).decode()])
    for text in (mac[:-1], mac + "A", mac + "=", mac.swapcase(), mac[::-1], base64.b64encode(raw + b"\x00").decode()):
        yield ".".join([*parts[:-1], text])
    for text in (proof.upper(), f" {proof}", f"{proof} ", f"{proof}\n", proof + ".", f"{proof}.{mac}", proof * 2):
        yield text


def forgeries() -> list[tuple[str, str]]:
    """Which of the providers it is sent as, and the proof."""
    mine, others = proofs_of(ADA), proofs_of(BEN)
    found = [(name.split()[0], text) for name, proof in mine.items() for text in altered(proof, others[name])]
    found += [("google" if name.startswith("graph") else "graph", proof) for name, proof in mine.items()]
    found += [("google", mint(NEW, ADA, Provider.GOOGLE, OTHER_CHANNEL)), ("google", mint(NEW, ADA, Provider.GOOGLE))]
    found += [("graph", mint(NEW, ADA, Provider.GOOGLE)), ("graph", mint(OLD, ADA, Provider.GOOGLE))]
    found += [
        ("graph", mint(STRANGE, ADA, Provider.MICROSOFT)),
        ("google", mint(STRANGE, ADA, Provider.GOOGLE, CHANNEL)),
    ]
    renamed = HookKeys(NEW.current, {NEW.current: STRANGE.ring[STRANGE.current]})
    found += [
        ("graph", mint(renamed, ADA, Provider.MICROSOFT)),
        ("google", mint(renamed, ADA, Provider.GOOGLE, CHANNEL)),
    ]
    known = set(mine.values())
    return sorted({(sent, text) for sent, text in found if text not in known or (sent, text) in cross_sent(mine)})


def cross_sent(mine: dict[str, str]) -> set[tuple[str, str]]:
    """Good proofs of one provider, sent as the other's."""
    return {("google" if name.startswith("graph") else "graph", proof) for name, proof in mine.items()}


def read(sent: str, proof: str) -> ReadPush:
    if sent == "graph":
        body = json.dumps(
            {"value": [{"subscriptionId": "s-1", "changeType": "updated", "clientState": proof}]}
        ).encode()
        return graph.read("", {}, body, KEYS, 1)
    headers = {"X-Goog-Channel-ID": CHANNEL, "X-Goog-Channel-Token": proof, "X-Goog-Resource-State": "exists"}
    return google.read("", headers, b"", KEYS, 1)


@pytest.mark.proves("D2")
def test_no_altered_proof_is_accepted_and_every_unaltered_one_is() -> None:
    for name, proof in proofs_of(ADA).items():
        good = read(name.split()[0], proof)
        assert isinstance(good, Notifications)
        assert [hint.mailbox for hint in good.hints] == [ADA]
    assert mint(NEW, ADA, Provider.GOOGLE) != mint(NEW, ADA, Provider.MICROSOFT), "it says for which provider"
    tried = forgeries()
    for sent, proof in tried:
        answer = read(sent, proof)
        assert isinstance(answer, Notifications), (sent, proof)
        assert (answer.hints, answer.forged) == ((), 1), (sent, proof)
    print(f"{len(tried)} altered proofs, none accepted")
    assert len(tried) >= 232
