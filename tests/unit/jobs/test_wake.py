"""Wake-ups: each is counted before the wait is ended, and only says that there is something to look at."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import pytest

from tests.builders import CREATED, JOB_ID, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.workflow import MemoryTaskTokens
from tunedrop.domain.errors import JobNotFoundError, StoreUnavailableError
from tunedrop.domain.job import Job, JobStatus, Outcome, Phase
from tunedrop.domain.transitions import close
from tunedrop.jobs.order import job_id_of, token_for
from tunedrop.jobs.wake import HearNews, HearProviderNews, NewsHeard, RefreshJob, WakeJob

ENDED = close(job_in(Phase.TRAINING), Outcome(status=JobStatus.CANCELLED), at=CREATED)


class Rig:
    def __init__(self, job: Job | None = None, *, waits: bool = True) -> None:
        self.store = MemoryJobStore()
        self.store.create(job or job_in(Phase.TRAINING))
        if waits:
            self.store.tokens[JOB_ID] = "token-of-the-wait"
        self.tokens = MemoryTaskTokens()
        self.clock = FakeClock()
        self.wake = WakeJob(store=self.store, tokens=self.tokens, clock=self.clock)
        self.refresh = RefreshJob(store=self.store, tokens=self.tokens, clock=self.clock)
        self.hear = HearNews(store=self.store, wake=self.wake)

    @property
    def wake_seq(self) -> int:
        return self.store.get(JOB_ID).wake_seq


class TestWake:
    def test_the_reason_is_counted_and_the_wait_ended(self) -> None:
        rig = Rig()

        rig.wake(JOB_ID)

        assert rig.wake_seq == 1
        assert rig.tokens.sent == ["token-of-the-wait"]
        assert rig.store.woken[JOB_ID] == rig.clock.now()

    def test_the_count_comes_first_so_that_a_wait_which_begins_in_between_is_over_at_once(self) -> None:
        rig = Rig()
        seen: list[int] = []

        class Tokens:
            def send(self, token: str) -> None:
                seen.append(rig.wake_seq)

        WakeJob(store=rig.store, tokens=Tokens(), clock=rig.clock)(JOB_ID)

        assert seen == [1]

    def test_a_job_that_does_not_wait_finds_the_reason_on_its_record(self) -> None:
        rig = Rig(waits=False)

        rig.wake(JOB_ID)

        assert (rig.wake_seq, rig.tokens.sent) == (1, [])

    def test_a_wake_up_that_fails_half_way_can_be_sent_again(self) -> None:
        rig = Rig()
        failures = [StoreUnavailableError("no answer")]

        class Tokens:
            def send(self, token: str) -> None:
                if failures:
                    raise failures.pop()
                rig.tokens.send(token)

        wake = WakeJob(store=rig.store, tokens=Tokens(), clock=rig.clock)
        with pytest.raises(StoreUnavailableError):
            wake(JOB_ID)
        wake(JOB_ID)

        assert rig.tokens.sent == ["token-of-the-wait"]

    def test_an_unknown_job_is_said_to_be_unknown(self) -> None:
        with pytest.raises(JobNotFoundError):
            Rig().wake("a" * 26)


class TestRefresh:
    def test_the_provider_is_asked_and_the_record_given_as_it_is(self) -> None:
        rig = Rig()

        assert rig.refresh(JOB_ID) == job_in(Phase.TRAINING)
        assert rig.tokens.sent == ["token-of-the-wait"]

    @pytest.mark.parametrize(("seconds", "asked"), [(0, 1), (29, 1), (30, 2), (31, 2)])
    def test_nobody_makes_the_provider_be_asked_more_than_every_30_seconds(self, seconds: int, asked: int) -> None:
        rig = Rig()
        rig.refresh(JOB_ID)
        rig.clock.advance(seconds=seconds)

        rig.refresh(JOB_ID)

        assert (rig.wake_seq, len(rig.tokens.sent)) == (asked, asked)

    def test_what_was_woken_for_another_reason_is_not_refreshed_either(self) -> None:
        rig = Rig()
        rig.wake(JOB_ID)
        rig.clock.advance(seconds=10)

        rig.refresh(JOB_ID)

        assert rig.wake_seq == 1

    def test_a_job_that_has_ended_is_left_alone(self) -> None:
        rig = Rig(ENDED)

        assert rig.refresh(JOB_ID) == ENDED
        assert (rig.wake_seq, rig.tokens.sent) == (0, [])

    def test_an_unknown_job_is_said_to_be_unknown(self) -> None:
        with pytest.raises(JobNotFoundError):
            Rig().refresh("a" * 26)


class TestNews:
    def test_news_of_a_job_wake_it(self) -> None:
        rig = Rig()

        assert rig.hear(JOB_ID) is NewsHeard.WOKEN
        assert rig.tokens.sent == ["token-of-the-wait"]

    def test_news_of_a_job_that_has_ended_change_nothing(self) -> None:
        rig = Rig(ENDED)

        assert rig.hear(JOB_ID) is NewsHeard.ENDED
        assert (rig.wake_seq, rig.tokens.sent) == (0, [])

    def test_news_of_somebody_elses_job_change_nothing(self) -> None:
        rig = Rig()

        assert rig.hear("a" * 26) is NewsHeard.UNKNOWN
        assert rig.tokens.sent == []

    def test_a_record_that_vanishes_before_the_wake_up_is_a_job_that_is_not_ours(self) -> None:
        class Vanishing(MemoryJobStore):
            def wake(self, job_id: str, *, at: datetime, quiet_since: datetime | None = None) -> str | None:
                raise JobNotFoundError(job_id)

        store = Vanishing()
        store.create(job_in(Phase.TRAINING))
        wake = WakeJob(store=store, tokens=MemoryTaskTokens(), clock=FakeClock())

        assert HearNews(store=store, wake=wake)(JOB_ID) is NewsHeard.UNKNOWN

    def test_news_may_name_the_job_as_its_provider_does(self) -> None:
        rig = Rig()
        asked: list[str] = []

        class Index:
            def job_ids(self, provider_job_id: str) -> Collection[str]:
                asked.append(provider_job_id)
                return ["a" * 26, JOB_ID] if provider_job_id == "ftjob-1" else []

        hear = HearProviderNews(index=Index(), hear=rig.hear)

        assert hear("ftjob-1") == {"a" * 26: NewsHeard.UNKNOWN, JOB_ID: NewsHeard.WOKEN}
        assert hear("ftjob-2") == {}
        assert asked == ["ftjob-1", "ftjob-2"]


class TestTokensOfOrders:
    def test_the_token_of_an_order_names_its_job(self) -> None:
        assert job_id_of(token_for(JOB_ID)) == JOB_ID

    @pytest.mark.parametrize(
        "name",
        ["", JOB_ID, "nightly-tuning", f"tunedrop-{JOB_ID}-1", f"my-tunedrop-{JOB_ID}", "tunedrop-" + "A" * 26],
    )
    def test_another_name_is_nobodys(self, name: str) -> None:
        assert job_id_of(name) is None
