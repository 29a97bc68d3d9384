"""A job lives in the stack, not in the process that asked for it."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import threading
import tunedrop.dspy as dspy
from tests.unit.dspy.fakes import FakeTunedrop

lm = dspy.LM("openai/gpt-4o-mini", provider=dspy.TunedropProvider(FakeTunedrop()))
job = lm.finetune(train_data=[{"prompt": "Door 1?", "completion": "7."}], train_data_format=None)
assert job.thread.is_alive() and not job.done()
print(job.job_id, flush=True)
"""
LONGEST_SECONDS = 60
"""It takes about two, most of which DSPy takes to load; the job would take for ever."""


def test_a_script_ends_when_its_last_line_has_run_though_its_job_goes_on() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )

    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (0, "job0".ljust(26, "a"), "")
