"""Each verb in each phase of a job, and in each state of its endpoint: one table, one test a row and verb."""

from __future__ import annotations

import pytest
from werkzeug.test import Client

from tests.api.account import Account
from tests.api.states import ENDPOINTS, JOBS, STATES, state
from tunedrop.domain.endpoint import EndpointStatus
from tunedrop.domain.job import Phase

VERBS = {
    "show": ("GET", ""),
    "refresh": ("GET", "?refresh=true"),
    "events": ("GET", "/events"),
    "cancel": ("POST", "/cancel"),
    "retry": ("POST", "/retry"),
    "endpoint": ("GET", "/endpoint"),
    "start": ("POST", "/endpoint/start"),
    "stop": ("POST", "/endpoint/stop"),
    "delete model": ("DELETE", "/model"),
}

# A verb's answer: its status, and the code where it is a problem. `=` is the answer of the state above.
TABLE = """
state                  | cancel        | retry                | endpoint              | start                 | stop                     | delete model
received               | 202           | 409 job_not_finished | 409 job_not_finished  | 409 job_not_finished  | 409 endpoint_not_started | 409 model_not_deletable
awaiting_upload        | =             | =                    | =                     | =                     | =                        | =
preparing              | =             | =                    | =                     | =                     | =                        | =
submitting             | =             | =                    | =                     | =                     | =                        | =
waiting_for_quota      | =             | =                    | =                     | =                     | =                        | =
queued                 | =             | =                    | =                     | =                     | =                        | =
training               | =             | =                    | =                     | =                     | =                        | =
cancelling             | =             | =                    | =                     | =                     | =                        | =
about to succeed       | 409 job_ended | =                    | =                     | =                     | =                        | =
about to be cancelled  | 202           | =                    | =                     | =                     | =                        | =
failed                 | 409 job_ended | 202                  | 409 job_not_succeeded | 409 job_not_succeeded | =                        | =
cancelled              | 200           | =                    | =                     | =                     | =                        | =
succeeded              | 409 job_ended | 409 job_succeeded    | 200 none              | 202 starting          | =                        | 200
openai succeeded       | =             | =                    | 200 none              | 200 ready             | =                        | 409 model_not_deletable
model deleted          | =             | =                    | 200 none              | 409 model_deleted     | =                        | 200
endpoint starting      | =             | =                    | 200 starting          | 202 starting          | 202 stopping             | 409 endpoint_not_stopped
endpoint ready         | =             | =                    | 200 ready             | 200 ready             | 202 stopping             | =
provisioned ready      | =             | =                    | 200 ready             | 200 ready             | 202 stopping             | =
endpoint stopping      | =             | =                    | 200 stopping          | 409 endpoint_stopping | 202 stopping             | =
endpoint stopped       | =             | =                    | 200 stopped           | 202 starting          | 200 stopped              | 200
endpoint failed        | =             | =                    | 200 failed            | 202 starting          | 200 failed               | 200
hosted                 | =             | =                    | 200 ready             | 200 ready             | 409 endpoint_hosted      | 409 model_not_deletable
stopped, model deleted | =             | =                    | 200 stopped           | 409 model_deleted     | 200 stopped              | 200
no such job            | 404 job_not_found | 404 job_not_found | 404 job_not_found    | 404 job_not_found     | 404 job_not_found        | 404 job_not_found
"""  # fmt: skip  # noqa: E501


def _rows() -> dict[str, dict[str, str]]:
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    rows: dict[str, dict[str, str]] = {}
    above: list[str] = []
    for name, *cells in lines:
        above = [old if cell == "=" else cell for cell, old in zip(cells, above or cells, strict=True)]
        exists = "200" if name != "no such job" else "404 job_not_found"
        rows[name] = {"show": exists, "refresh": exists, "events": exists, **dict(zip(head[1:], above, strict=True))}
    return rows


ROWS = _rows()


def test_the_table_has_every_phase_every_state_and_every_verb() -> None:
    assert set(ROWS) == {*STATES, "no such job"}
    assert {job.phase for job in JOBS.values()} == set(Phase)
    assert {endpoint.status for endpoint in ENDPOINTS.values()} == set(EndpointStatus)
    assert all(set(row) == set(VERBS) for row in ROWS.values())


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", ROWS)
def test_a_verb_in_a_state(name: str, verb: str, aws: Account, http: Client) -> None:
    job_id = "a" * 26 if name == "no such job" else aws.hold(*state(name, of=verb))
    method, path = VERBS[verb]

    answer = http.open(f"/v1/jobs/{job_id}{path}", method=method)

    status, _, word = ROWS[name][verb].partition(" ")
    body = answer.json
    assert body is not None
    assert (answer.status_code, body.get("code")) == (int(status), word if int(status) >= 400 else None), body
    if answer.status_code < 400 and word:
        assert body["status"] == word
    assert body.get("job_id", job_id) == job_id or verb == "retry"
