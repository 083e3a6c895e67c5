"""Threads that read records of a kind for the first time, all at once, read them: no process ends."""

from __future__ import annotations

import subprocess
import sys

from tests.support.paths import ROOT

KINDS = 100
PROGRAM = r"""
import sys, threading, types
from shared.decoders import convert, json_decoder, msgpack_decoder

sys.setswitchinterval(1e-6)
made = sys.modules["made"] = types.ModuleType("made")
SOURCE = '''
from __future__ import annotations
import msgspec
class Inner(msgspec.Struct):
    a: str
    b: int | None = None
class Outer(msgspec.Struct):
    one: Inner
    many: list[Inner] = []
    named: dict[str, Inner] = {}
'''
read = []
for _ in range(int(sys.argv[1])):
    exec(SOURCE, made.__dict__)
    outer, inner, together = made.Outer, made.Inner, threading.Barrier(4)
    reads = (
        lambda: json_decoder(outer).decode(b'{"one": {"a": "x"}}').one,
        lambda: convert({"one": {"a": "x"}}, outer).one,
        lambda: msgpack_decoder(outer).decode(b"\x81\xa3one\x81\xa1a\xa1x").one,
        lambda: json_decoder(list[inner]).decode(b'[{"a": "x"}]')[0],
    )
    def run(first):
        together.wait()
        read.append(first() == inner(a="x"))
    threads = [threading.Thread(target=run, args=(first,)) for first in reads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(read.count(True))
"""


def test_what_several_threads_read_for_the_first_time_is_read() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(KINDS)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == str(4 * KINDS)
