"""The least that a service in Flask can be, to measure starts beside: one route, on the server that ours is built on."""

from __future__ import annotations

import os
import sys

from flask import Flask
from waitress.server import create_server


def main() -> None:
    """Listen on a free port, say `ready NAME URL PID`, and serve until killed."""
    app = Flask(__name__)
    app.add_url_rule("/readyz", view_func=lambda: "ready")
    server = create_server(app, host="127.0.0.1", port=0)
    sys.stdout.write(f"ready hello http://127.0.0.1:{server.effective_port} {os.getpid()}\n")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
