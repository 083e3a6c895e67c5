"""Every contract that has come to a second version is in the table of those who read all of them."""

from __future__ import annotations

import importlib
import pkgutil

from shared import contracts
from shared.contracts.versions import newest_version


def test_every_version_of_a_contract_is_in_the_table() -> None:
    modules = [
        importlib.import_module(f"shared.contracts.{each.name}") for each in pkgutil.iter_modules(contracts.__path__)
    ]
    versions = {
        name: getattr(module, constant.replace("TYPE", "VERSION"), getattr(module, "VERSION", 1))
        for module in modules
        for constant, name in vars(module).items()
        if constant == "TYPE" or constant.endswith("_TYPE")
    }
    assert max(versions.values()) > 1
    assert {name: newest_version(name) for name in versions} == versions
