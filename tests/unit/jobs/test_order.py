"""What of a user's request reaches the provider."""

from __future__ import annotations

import msgspec

from tests.builders import REQUEST, job_in
from tunedrop.domain.job import Phase
from tunedrop.jobs.order import order_for


def test_where_a_databricks_job_puts_its_files_and_registers_its_model_is_part_of_the_order() -> None:
    fields = {"train_data_path": "/Volumes/main/support/files", "register_to": "main.support.answers"}
    request = msgspec.structs.replace(REQUEST, provider="databricks", model="llama-3.2-3b", **fields)
    order = order_for(job_in(Phase.SUBMITTING, provider="databricks", request=request))
    assert (order.train_data_path, order.register_to) == (fields["train_data_path"], fields["register_to"])
