"""The HEALTHCHECK inside an image, where there is no curl: exit 0 when `/livez` on the given port answers 200."""

from __future__ import annotations

import http.client
import sys

TIMEOUT_S = 2.0
WELL = 200


def main() -> int:
    """Ask once. Exit codes: 0 alive, 1 not."""
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/livez")
        return 0 if connection.getresponse().status == WELL else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
