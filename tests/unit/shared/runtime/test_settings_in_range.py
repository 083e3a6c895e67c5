"""Settings that can be read and cannot be meant are refused at the start, all of them at once."""

from __future__ import annotations

import pytest

from shared.errors import ConfigurationError
from shared.runtime.settings import load

OUT_OF_RANGE = {
    "PARTITIONS": ("0",), "KAFKA_REPLICATION": ("0",), "RECONCILE_S": ("0", "-5", "nan", "inf"),
    "PENDING_SILENT_S": ("-1",), "CALL_TIMEOUT_S": ("nan",), "TEST_FLOW_S": ("0",), "PROMPT_GRACE_S": ("-2", "nan"),
    "RECEIVER_PORT": ("99999", "-1"), "HEALTH_PORT": ("65536",), "LOG_LEVEL": ("verbose",), "WRITES": ("no", "ON"),
    "WINDOW_DAYS": ("29", "401"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in OUT_OF_RANGE.items() for value in values]
)
def test_setting_out_of_its_range_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"ROOMSYNC_{name}"):
        load({f"ROOMSYNC_{name}": value})


def test_all_of_them_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as told:
        load({f"ROOMSYNC_{name}": values[0] for name, values in OUT_OF_RANGE.items()})
    assert len(str(told.value).splitlines()) == len(OUT_OF_RANGE)


def test_ends_of_the_ranges_are_accepted() -> None:
    ends = {
        "PARTITIONS": "1",
        "RECONCILE_S": "0.5",
        "PROMPT_GRACE_S": "0",
        "RECEIVER_PORT": "65535",
        "LOG_LEVEL": "debug",
        "WINDOW_DAYS": "400",
    }
    load({f"ROOMSYNC_{name}": value for name, value in ends.items()})


def test_chat_is_off_by_a_word_since_an_empty_value_is_the_default() -> None:
    known = load({})
    assert known.posts_to_chat
    assert load({"ROOMSYNC_CHAT_HOSTS": ""}) == known
    assert not load({"ROOMSYNC_CHAT_HOSTS": "none"}).posts_to_chat
