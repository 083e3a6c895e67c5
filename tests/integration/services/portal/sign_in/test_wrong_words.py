"""A hostile identity provider: hundreds of words about somebody that are wrong in one thing or in two, none of them believed."""

from __future__ import annotations

import base64
import hmac
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.portal.sign_in.attempts import Purpose, SignIn
from services.portal.sign_in.openid import PERSONAL_ACCOUNTS
from services.portal.sign_in.openid_provider import OpenIdProvider
from services.portal.sign_in.refusals import RefusedSignInError
from shared.domain.identity import Provider
from shared.runtime.settings import Settings
from tests.integration.services.portal.sign_in.test_identity import (
    KEY,
    NOW_S,
    OTHER,
    TENANT,
    FixedClock,
    Lying,
    claims,
    root,
    signed,
)
from tests.support.abuse import sized

__all__ = ["root"]
"""The provider's address, a fixture."""
ABSENT = None
WRONG_TYPES: tuple[Any, ...] = (0, True, [], {}, ["x"], {"x": "y"}, 1.5, "")
NONCE = "nonce-of-this-sign-in"
Word = dict[str, Any]


@dataclass(frozen=True)
class Lie:
    """What is wrong with a word: of its claims, or of how it is signed."""

    name: str
    change: Callable[[Word], Word] = dict
    sign: Callable[[Word], str] = signed


def sign_in(provider: Provider) -> SignIn:
    return SignIn(provider.value, "state", NONCE, "v" * 43, "", Purpose.SIGN_IN)


def true_word(provider: Provider, root: str) -> Word:
    if provider is Provider.MICROSOFT:
        return claims(root)
    google = {"iss": f"{root}/{{tenantid}}/v2.0", "sub": "1234", "hd": "contoso.test", "email": "ada@contoso.test"}
    known = claims(root, tid=None, oid=None, preferred_username=None)
    return {**known, **google, "email_verified": True}


def with_claim(name: str, value: Any) -> Lie:
    def change(word: Word) -> Word:
        kept = {key: held for key, held in word.items() if key != name}
        return kept if value is ABSENT else {**kept, name: value}

    return Lie(f"{name}={value!r}", change)


def wrong_claims(provider: Provider) -> Iterator[Lie]:
    """Each claim that says who it is, for whom and when: absent, of another type, or of another sign-in."""
    required = ["iss", "aud", "nonce", "exp"]
    required += ["tid", "oid"] if provider is Provider.MICROSOFT else ["hd", "sub", "email", "email_verified"]
    for name in required:
        yield with_claim(name, ABSENT)
        # Any true value but `true` itself says nothing; for the others `True` is another type.
        yield from (
            with_claim(name, value) for value in WRONG_TYPES if not (name == "email_verified" and value is True)
        )
    yield from (with_claim("exp", NOW_S - past) for past in (121, 3_600, 10**6, NOW_S))
    yield from (with_claim("iat", NOW_S + ahead) for ahead in (121, 3_600, 10**9))
    yield from (with_claim("nbf", NOW_S + ahead) for ahead in (121, 3_600, 10**9))
    yield from (with_claim(name, value) for name in ("exp", "iat", "nbf") for value in ("soon", [NOW_S], {}))
    others = ("roomsync ", "ROOMSYNC", "another", ["another"], ["roomsync2", "x"], "roomsync\x00", "roomsyn")
    yield from (with_claim("aud", value) for value in others)
    nonces = ("another", NONCE + " ", NONCE.upper(), NONCE[:-1], [NONCE], "\x00" + NONCE)
    yield from (with_claim("nonce", value) for value in nonces)
    yield from _wrong_issuers()
    yield from (with_claim("azp", value) for value in ("another", "ROOMSYNC"))
    yield from (with_claim("at_hash", value) for value in ("another", "x" * 22))
    yield from _of_microsoft() if provider is Provider.MICROSOFT else _of_google()


def _wrong_issuers() -> Iterator[Lie]:
    fixed = (
        "https://evil.test/v2.0", "https://login.microsoftonline.com/common/v2.0", "https://accounts.google.com",
        "accounts.google.com", f"https://evil.test/{TENANT}/v2.0", "//", "null",
    )  # fmt: skip
    yield from (with_claim("iss", value) for value in fixed)
    twists: tuple[Callable[[str], str], ...] = (
        lambda iss: iss + "/", lambda iss: iss.upper(), lambda iss: iss[:-1], lambda iss: " " + iss,
        lambda iss: iss.replace("http://", "https://"), lambda iss: iss + "#", lambda iss: iss.replace("/v2.0", "/v1.0"),
        lambda iss: iss.replace("127.0.0.1", "127.0.0.1.evil.test"), lambda iss: iss + "?x", lambda iss: iss + "\x00",
        lambda iss: iss.replace("127.0.0.1", "localhost"), lambda iss: iss.replace("http://", "http://evil.test@"),
    )  # fmt: skip
    for number, twist in enumerate(twists):
        yield Lie(f"iss twisted {number}", lambda word, twist=twist: {**word, "iss": twist(str(word["iss"]))})


def _of_microsoft() -> Iterator[Lie]:
    tenants = (
        PERSONAL_ACCOUNTS,
        "common",
        "organizations",
        "../x",
        "9188040d",
        TENANT + "0",
        TENANT[:-1],
        f"{TENANT}\n",
    )
    yield from (with_claim("tid", tenant) for tenant in tenants)
    yield with_claim("tid", "99999999-2222-3333-4444-555555555555")
    personal = f"/{PERSONAL_ACCOUNTS}/v2.0"
    yield Lie(
        "personal account, consistently",
        lambda word: {**word, "tid": PERSONAL_ACCOUNTS, "iss": str(word["iss"]).replace(f"/{TENANT}/v2.0", personal)},
    )
    yield from (with_claim("acct", value) for value in (1, "1", "0", [0], {}, "guest", -1, 0.5))
    yield from (with_claim("idp", value) for value in ("https://sts.windows.net/other/", "live.com", "mail"))
    yield from (
        with_claim("preferred_username", value) for value in ("", "ada", 5, [], "ada_evil.test#EXT#@contoso.test")
    )
    yield with_claim("preferred_username", ABSENT)


def _of_google() -> Iterator[Lie]:
    yield from (with_claim("email_verified", value) for value in ("true", "false", 1, "True", ["true"], "yes"))
    yield from (with_claim("email", value) for value in ("ada", "", 7))
    yield from (with_claim("hd", value) for value in (7, ["contoso.test"], ""))


def wrong_signatures() -> Iterator[Lie]:
    """Another key, another algorithm, another key's name, no signature, a part of another word."""
    strange = RSAKey.import_key(KEY.as_dict(private=True) | {"alg": "RS512"})
    yield Lie("another key of that name", sign=lambda word: signed(word, OTHER))
    for name in ("two", "", "../one", "one ", 1, ["one"], None):
        yield Lie(f"kid={name!r} of another key", sign=lambda word, name=name: _with_header(word, {"kid": name}, OTHER))
    for secret in ("s" * 32, json.dumps(KEY.as_dict(private=False)), KEY.as_pem(private=False).decode()):
        for alg in ("HS256", "HS384", "HS512"):
            name = f"{alg} under {secret[:12]!r}"
            yield Lie(name, sign=lambda word, secret=secret, alg=alg: _shared(word, secret, alg))
    for alg in ("RS384", "RS512", "PS256", "PS512"):
        key = RSAKey.import_key(strange.as_dict(private=True) | {"alg": alg})
        yield Lie(alg, sign=lambda word, key=key, alg=alg: signed(word, key, alg))
    for alg in ("none", "None", "NONE", "nOnE", "", "RS256 ", "rs256", None, 0, ["RS256"]):
        for tail in ("", "signature"):
            yield Lie(f"alg={alg!r} and {tail!r}", sign=lambda word, alg=alg, tail=tail: _raw(word, {"alg": alg}, tail))
    yield from _wrong_parts()


def _wrong_parts() -> Iterator[Lie]:
    def other_payload(word: Word) -> str:
        head, _, seal = signed(word).split(".")
        return f"{head}.{_encoded({**word, 'sub': 'boss', 'oid': 'boss'})}.{seal}"

    yield Lie("claims of another word under this seal", sign=other_payload)
    yield Lie("key that the word brings itself", sign=lambda word: _brings(word, {"jwk": OTHER.as_dict(private=False)}))
    yield Lie("address of a key that it brings", sign=lambda word: _brings(word, {"jku": "https://evil.test/keys"}))
    yield Lie("something critical that nobody knows", sign=lambda word: _brings(word, {"crit": ["x"], "x": 1}))
    cuts: tuple[Callable[[str], str], ...] = (
        lambda text: text[:-1], lambda text: text[:-20], lambda text: text.rpartition(".")[0],
        lambda text: text + ".", lambda text: text + ".x", lambda text: "." + text, lambda _: "", lambda _: "e30.e30.",
        lambda text: text.replace(".", ""), lambda text: text[::-1], lambda text: "\x00" + text, lambda _: "a.b.c.d.e",
        lambda text: text.partition(".")[2], lambda text: text.upper(),
    )  # fmt: skip
    for number, cut in enumerate(cuts):
        yield Lie(f"cut {number}", sign=lambda word, cut=cut: cut(signed(word)))


def _encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _raw(word: Word, header: Word, tail: str) -> str:
    return f"{_encoded({'kid': 'one', **header})}.{_encoded(word)}.{_encoded(tail) if tail else ''}"


def _shared(word: Word, secret: str, alg: str) -> str:
    """Under a secret that the liar knows, the public key itself among them; a library would refuse to make this one."""
    head = f"{_encoded({'alg': alg, 'kid': 'one'})}.{_encoded(word)}"
    seal = hmac.digest(secret.encode(), head.encode(), alg.replace("HS", "sha"))
    return f"{head}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"


def _with_header(word: Word, header: Word, key: Any) -> str:
    """Signed by `key` whatever the header says."""
    kept = jwt.encode({"alg": "RS256", "kid": "one"}, word, key, algorithms=["RS256"])
    return f"{_encoded({'alg': 'RS256', **header})}.{kept.split('.', 1)[1]}"


def _brings(word: Word, header: Word) -> str:
    """Signed by a key of the liar's, with a header that offers it."""
    return _with_header(word, {"kid": "one", **header}, OTHER)


def lies(provider: Provider, count: int) -> list[Lie]:
    """Every lie alone, then pairs of them, `count` in all at most."""
    alone = [*wrong_claims(provider), *wrong_signatures()]
    pairs = [
        Lie(f"{one.name} and {other.name}", lambda word, one=one, other=other: other.change(one.change(word)))
        for one, other in itertools.combinations([*wrong_claims(provider)], 2)
        if one.name.partition("=")[0].split()[0] != other.name.partition("=")[0].split()[0]
    ]
    random.Random(20261128).shuffle(pairs)
    return (alone + pairs)[:count]


@pytest.mark.proves("E11")
@pytest.mark.parametrize("provider", list(Provider), ids=lambda each: each.value)
def test_no_wrong_word_of_hundreds_is_believed_and_the_true_one_is(provider: Provider, root: str) -> None:
    settings = Settings(
        microsoft_client_id="roomsync", microsoft_client_secret="s", microsoft_login_url=root,
        google_client_id="roomsync", google_client_secret="s", google_token_url=f"{root}/token",
        google_auth_url=f"{root}/o/oauth2/v2/auth",
    )  # fmt: skip
    door, word, slowest_s = OpenIdProvider(settings, provider, FixedClock()), true_word(provider, root), 0.0
    # As Microsoft publishes them: a key that does not say itself which algorithm it is for.
    Lying.keys = [RSAKey.import_key({name: part for name, part in KEY.as_dict(private=False).items() if name != "alg"})]
    chosen = lies(provider, sized(375, 1_500))

    def enter() -> str:
        return door.exchange("code", sign_in(provider), "http://127.0.0.1/auth/callback")[0].subject

    for number, lie in enumerate(chosen):
        Lying.id_token = lie.sign(lie.change(word))
        try:
            believed = enter()
        except RefusedSignInError:
            pass
        else:
            pytest.fail(f"{lie.name}: believed to be {believed}")
        if number % 25 == 0:
            Lying.id_token, began = signed(word), time.perf_counter()
            assert enter() in ("object-id", "1234")
            slowest_s = max(slowest_s, time.perf_counter() - began)
    print(f"\n{provider.value}: {len(chosen)} wrong sign-ins, all refused, slowest good {slowest_s * 1000:.0f} ms")
    assert len(chosen) >= 375
