"""DSPy's provider that trains in a Tunedrop stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dspy.clients.provider import Provider

from tunedrop.client.errors import JobCancelledError
from tunedrop.dspy.held_secret import told
from tunedrop.dspy.training_job import TunedropJob

if TYPE_CHECKING:
    from tunedrop.client import Job, Tunedrop
    from tunedrop.client.connection import Connection


class _Where(NamedTuple):
    """Of a stack: the arguments of the client."""

    url: str | None = None
    profile: str | None = None
    region: str | None = None

    @classmethod
    def of(cls, connection: Connection) -> _Where:
        return cls(connection.url, connection.profile, connection.region)


class TunedropProvider(Provider):  # type: ignore[misc]  # dspy has no types
    """`dspy.LM("bedrock/amazon.nova-lite-v1", provider=TunedropProvider())` in plain DSPy.

    Without a client it makes its own when it trains: by TUNEDROP_URL and the usual AWS credentials.
    """

    def __init__(self, tunedrop: Tunedrop | None = None) -> None:
        super().__init__()
        self.finetunable = True
        self.TrainingJob = partial(TunedropJob, provider=self)
        self._where = _Where()
        if tunedrop is not None:
            self.tunedrop = tunedrop

    @cached_property
    def tunedrop(self) -> Tunedrop:
        """Raises ConfigurationError where it cannot be made."""
        from tunedrop.client import Tunedrop

        return Tunedrop(self._where.url, profile=self._where.profile, region=self._where.region)

    @staticmethod
    def is_provider_model(model: str) -> bool:
        return model.startswith(("openai/", "ft:", "bedrock/", "databricks/"))

    def submit(
        self,
        model: str | None,
        train_data: Sequence[Mapping[str, Any]] | None,
        train_data_format: str | None,
        train_kwargs: Mapping[str, Any],
    ) -> Job:
        """Raises what `Tunedrop.finetune` raises."""
        return self.tunedrop.finetune(
            model=model or "",
            train_data=train_data or [],
            train_data_format=train_data_format,
            train_kwargs=told(train_kwargs),
        )

    def finetune(
        self,
        job: TunedropJob,
        model: str,
        train_data: object,  # noqa: ARG002  DSPy's signature; the job was submitted with them
        train_data_format: object = None,  # noqa: ARG002
        train_kwargs: object = None,  # noqa: ARG002
    ) -> str:
        """Called by DSPy in the job's thread: waits for the end. The name to call."""
        try:
            # Two jobs wait in two threads, and a terminal has one progress bar.
            return job.job.result(progress=False)
        except JobCancelledError:
            job.end_as_cancelled()
            return model  # of an LM that nobody sees: raising would log the user's own doing as an error

    def __deepcopy__(self, _memo: object) -> TunedropProvider:
        """Copies of an LM share their client, as they share their provider."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds where the stack is, and no credentials."""
        client = vars(self).get("tunedrop")
        where = self._where if client is None else _Where.of(client.connection)
        return _provider_at, (where,)


def _provider_at(where: _Where) -> TunedropProvider:
    """It connects when it trains: who only calls models needs no stack."""
    provider = TunedropProvider()
    provider._where = where
    return provider
