"""The sample subscriber in a consumer group that is another one at each start: it does not find where it was."""

import importlib.util
import os
import sys

LOADED = importlib.util.spec_from_file_location("subscriber", sys.argv[1])
assert LOADED is not None
assert LOADED.loader is not None
SAMPLE = importlib.util.module_from_spec(LOADED)
LOADED.loader.exec_module(SAMPLE)
bootstrap, topic, group = sys.argv[2:]
SAMPLE.main(bootstrap, topic, f"{group}-{os.getpid()}")
