"""A provider in memory: it keeps its jobs, and does what a test tells it to."""

from __future__ import annotations

from collections import deque

from tunedrop.domain.provider_ports import ProviderJob, ProviderState, TrainingOrder


class MemoryProvider:
    """A FineTuningProvider without idempotency: two creates make two jobs, as at OpenAI."""

    lookup_settle_seconds = 60.0
    found_by_creating = False
    tells_news = False

    def __init__(self) -> None:
        self.orders: list[TrainingOrder] = []
        self.stopped: list[str] = []
        self.answers: deque[ProviderJob | Exception] = deque()
        """What the next calls of `status` say; the last one is said again for ever."""
        self.create_errors: deque[Exception] = deque()
        """Raised by the next calls of `create`, before anything happens."""
        self.lose_replies = 0
        """How many of the next creates raise after the job was made."""
        self.lost_reply: Exception | None = None
        self.find_error: Exception | None = None
        self.stop_error: Exception | None = None
        self.hidden = False
        """Whether the provider's list lags behind its creates."""

    def find(self, order: TrainingOrder) -> str | None:
        if self.find_error is not None:
            raise self.find_error
        ids = [f"pj-{number}" for number, known in enumerate(self.orders) if known.token == order.token]
        return None if self.hidden or not ids else ids[0]

    def create(self, order: TrainingOrder) -> str:
        if self.create_errors:
            raise self.create_errors.popleft()
        self.orders.append(order)
        if self.lose_replies and self.lost_reply is not None:
            self.lose_replies -= 1
            raise self.lost_reply
        return f"pj-{len(self.orders) - 1}"

    def status(self, provider_job_id: str) -> ProviderJob:
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def stop(self, provider_job_id: str) -> None:
        if self.stop_error is not None:
            raise self.stop_error
        self.stopped.append(provider_job_id)


def training(raw_status: str = "running") -> ProviderJob:
    return ProviderJob(state=ProviderState.TRAINING, raw_status=raw_status)
