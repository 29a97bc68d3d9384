"""Serves the application on the inherited socket, and ends everything that it started when it is told to stop."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from hypercorn.asyncio import serve  # type: ignore[import-not-found]
from hypercorn.config import Config  # type: ignore[import-not-found]
from ministack.core import lambda_runtime

from local.emulator.settings import Settings

STOP_LIMIT = 5.0
"""Seconds. After that the process ends, whatever is still open."""


def run(application: Any, settings: Settings, put_event: Callable[[bytes], None]) -> None:
    """Serve until SIGTERM, SIGINT or the end of standard input; then end this process.

    `put_event` is given each line of standard input, and does not raise.
    """
    logging.getLogger("hypercorn.access").setLevel(logging.WARNING)
    config = Config()
    config.bind = [f"fd://{settings.listen_fd}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    asyncio.run(_serve(application, config, put_event))
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that still run a state or wait for one would keep the interpreter alive.
    os._exit(0)


async def _serve(application: Any, config: Config, put_event: Callable[[bytes], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Standard input is a pipe from the parent: its end means that the parent is gone, however it went.
    threading.Thread(target=_read_input, args=(loop, stop, put_event), daemon=True).start()

    async def until_stopped() -> None:
        await stop.wait()
        deadline = threading.Timer(STOP_LIMIT, os._exit, args=(0,))
        deadline.daemon = True
        deadline.start()
        await asyncio.to_thread(lambda_runtime.reset)  # ends the workers of all functions

    await serve(application, config, shutdown_trigger=until_stopped)


def _read_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, put_event: Callable[[bytes], None]) -> None:
    with os.fdopen(0, "rb", closefd=False) as lines:
        for line in lines:
            put_event(line)
    loop.call_soon_threadsafe(stop.set)
