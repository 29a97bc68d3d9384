"""Runs a simulator as an HTTP server on a free loopback port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server


class _QuietHandler(WSGIRequestHandler):
    """Speaks HTTP/1.1, which clients need to send a body in chunks, and writes no access log."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Silent: a simulator's own state is what tests and people look at."""


def lose_reply() -> Response:
    """Closes the connection that is being answered, so that the client never learns what happened."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)


@contextmanager
def serving(app: Flask, *, port: int = 0) -> Iterator[str]:
    """Serves `app` on 127.0.0.1 in threads of this process; yields its URL, without a trailing slash."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]  # a socketserver attribute that the stubs lack
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
