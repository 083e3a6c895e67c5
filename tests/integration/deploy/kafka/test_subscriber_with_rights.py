"""The sample subscriber logs in as docs/subscribe.md says, with the rights that are shipped and no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from deploy.local.kafka import Brokers
from deploy.local.secured import MECHANISM, SUPERUSER
from shared.contracts.published import samples
from shared.contracts.topics import ROOM_REJECTIONS
from shared.ports.log import NewRecord
from tests.integration.deploy.kafka.conftest import PREFIX, opened, password_of, security_of
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S


@pytest.mark.proves("D10")
@pytest.mark.parametrize(("group", "is_let_in"), [("subscriber-mine", True), ("mine", False)])
def test_sample_reads_in_a_group_of_its_own_rights_alone(guarded: Brokers, group: str, is_let_in: bool) -> None:
    guard = guarded.secured
    assert guard is not None
    superuser = opened(guarded.bootstrap, security_of(guarded, SUPERUSER, guard.password))
    superuser.log.append([NewRecord(ROOM_REJECTIONS.name, 0, b"t/m", samples()["RoomDeclined"])])
    superuser.close()
    login = {
        "SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": MECHANISM, "SASL_PLAIN_USERNAME": "subscriber",
        "SASL_PLAIN_PASSWORD": password_of("subscriber"), "SSL_CAFILE": str(guard.ca_file),
    }  # fmt: skip
    command = [sys.executable, str(ROOT / "docs" / "subscriber.py"), guarded.bootstrap]
    with subprocess.Popen(
        [*command, f"{PREFIX}{ROOM_REJECTIONS.name}", f"{PREFIX}{group}"],
        env=os.environ | login,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        if is_let_in:
            process.terminate()
            assert line.split()[0] == json.loads(samples()["RoomDeclined"])["id"]
        else:
            assert (line, process.wait(PATIENCE_S)) == ("", 3)  # a sentence, as docs/subscribe.md says
            assert "GroupAuthorizationFailed" in process.stderr.read()
