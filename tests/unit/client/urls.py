"""Where the stack of the tests is."""

from __future__ import annotations

from tests.api.gateway import STAGE

HOST = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
URL = f"https://{HOST}/{STAGE}"
