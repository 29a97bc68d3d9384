"""The program of the embedded AWS: `.venv-local/bin/python -m local.emulator.main`, run by `process.py`."""

import os
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version

from local.emulator.settings import Settings, parse
from local.folder_lock import FolderTakenError, take

MINISTACK = "1.5.33"


def prepare(settings: Settings) -> None:
    """Refuse another MiniStack, take the state directory, and set what MiniStack reads when it is imported."""
    installed = _installed()
    if installed != MINISTACK:
        sys.exit(f"ministack {installed} is installed, but the changes are made for {MINISTACK}: run `make setup`")
    try:
        take(settings.state_dir)
    except FolderTakenError as error:
        sys.exit(str(error))
    shutil.rmtree(settings.temporary_dir, ignore_errors=True)
    settings.temporary_dir.mkdir(parents=True)
    settings.packages_dir.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(settings.temporary_dir)
    os.environ.update(
        BIND_HOST="127.0.0.1",  # MiniStack's default is every interface
        GATEWAY_PORT=str(settings.port),
        MINISTACK_HOST="localhost",  # an address here breaks its URLs of API Gateway
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        TMPDIR=str(settings.temporary_dir),
        HOME=str(settings.temporary_dir),
        DOCKER_HOST=f"unix://{settings.temporary_dir}/no-docker",  # it would clear away containers at its start
        LAMBDA_ASYNC_RETRY_BASE_SECONDS=str(settings.async_retry_seconds),
    )


def _installed() -> str | None:
    try:
        return version("ministack")
    except PackageNotFoundError:
        return None


def main() -> None:
    """Run until told to stop."""
    settings = parse(sys.argv[1:])
    prepare(settings)
    # MiniStack reads its environment when it is imported, so nothing may import it before `prepare`.
    from local.emulator import server
    from local.emulator.changes import apply, service_events

    server.run(apply(settings), settings, service_events.put)


if __name__ == "__main__":
    main()
