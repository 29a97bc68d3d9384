"""What is gathered of a file's rows, against the slow and obvious way of doing it."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traced_memory import assert_peak_below
from tests.unit.training_data.corpora import WordTokenizer, chat, figures_of, gathered
from tunedrop.training_data.figures.row_hashes import RowHashes
from tunedrop.training_data.figures.row_lengths import MAX_DISTINCT, RowLengths, quantiles
from tunedrop.training_data.figures.sampling import LONG_ROW_BYTES, RowSample
from tunedrop.training_data.figures.statistics import RowStatistics

ROWS = st.lists(st.sampled_from([b"", b"a", b"b", b"c", b"long row", b"longer row"]), max_size=60)
SIZES = st.lists(st.integers(min_value=1, max_value=10**7), min_size=1, max_size=400)


def nearest_rank(sizes: list[int], percent: int) -> int:
    return sorted(sizes)[math.ceil(len(sizes) * percent / 100) - 1]


@given(SIZES)
def test_quantiles_are_those_of_the_sorted_list(sizes: list[int]) -> None:
    lengths = RowLengths()
    lengths.add(sizes)
    found = quantiles(lengths.counts, longest=lengths.longest)
    assert (found.p50, found.p90, found.p99) == tuple(nearest_rank(sizes, percent) for percent in (50, 90, 99))
    assert found.longest == max(sizes)
    assert lengths.total == sum(sizes)


@pytest.mark.parametrize("longest", [20_000, 1_000_000, 100_000_000])
def test_many_different_lengths_are_off_by_at_most_one_percent(longest: int) -> None:
    random = Random(longest)
    sizes = [random.randint(1, longest) for _ in range(4 * MAX_DISTINCT)]
    lengths = RowLengths()
    for start in range(0, len(sizes), 100):
        lengths.add(sizes[start : start + 100])
    assert len(lengths.counts) <= 2 * MAX_DISTINCT, "memory is bounded"
    found = quantiles(lengths.counts, longest=lengths.longest)
    for percent, value in ((50, found.p50), (90, found.p90), (99, found.p99)):
        assert value == pytest.approx(nearest_rank(sizes, percent), rel=0.01)
    assert (lengths.longest, lengths.total) == (max(sizes), sum(sizes))
    assert sum(lengths.counts.values()) == len(sizes)


def test_blank_lines_have_no_length() -> None:
    lengths = RowLengths()
    lengths.add([0, 5, 0])
    assert lengths.counts == Counter({5: 1})


def obvious_repeats(rows: list[bytes]) -> list[tuple[int, int]]:
    seen: dict[bytes, int] = {}
    return [
        (line, seen[row]) for line, row in enumerate(rows, 1) if row and seen.setdefault(row, line) != line
    ]  # fmt: skip


@given(ROWS, st.integers(min_value=1, max_value=7))
def test_repeated_rows_are_found_with_their_lines(rows: list[bytes], block: int) -> None:
    hashes = RowHashes()
    for start in range(0, len(rows), block):
        hashes.add(start + 1, rows[start : start + block])
    expected = obvious_repeats(rows)
    found = hashes.duplicates()
    assert (found.rows, list(found.first)) == (len(expected), expected[:10])


@given(ROWS, ROWS)
def test_rows_of_another_file_are_found(mine: list[bytes], other: list[bytes]) -> None:
    validation, training = RowHashes(), RowHashes()
    validation.add(1, mine)
    training.add(1, other)
    assert validation.shared_with(training) == sum(row in other for row in mine if row)


def test_repeats_are_found_in_files_that_are_compared_in_parts() -> None:
    rows = [b"%d" % number for number in range(230_000)]
    for line, earlier in ((5_000, 17), (150_000, 149_999), (229_999, 17)):
        rows[line - 1] = rows[earlier - 1]
    rows[99] = rows[199_999] = b""
    hashes, other = RowHashes(), RowHashes()
    hashes.add(1, rows)
    other.add(1, [b"", b"x", *rows[200_001:]])
    found = hashes.duplicates()
    assert (found.rows, found.first) == (3, ((5_000, 17), (150_000, 149_999), (229_999, 17)))
    assert other.shared_with(hashes) == 230_000 - 200_001
    assert hashes.shared_with(other) == 230_000 - 200_001 + 2, "line 17 and its copy at 5,000 are in it too"


def test_beyond_the_limit_nothing_is_counted_and_the_hashes_are_gone() -> None:
    hashes, other = RowHashes(max_lines=10), RowHashes(max_lines=10)
    hashes.add(1, [b"same"] * 10)
    assert hashes.duplicates().rows == 9
    hashes.add(11, [b"same"])
    hashes.add(12, [b"same"])
    other.add(1, [b"same"])
    found = hashes.duplicates()
    assert (found.rows, found.limit, found.first) == (None, 10, ())
    assert hashes.shared_with(other) is None
    assert other.shared_with(hashes) is None


def test_lines_that_were_never_shown_count_as_blank() -> None:
    hashes = RowHashes()
    hashes.add(1, [b"a"])
    hashes.add(4, [b"a"])
    assert hashes.duplicates().first == ((4, 1),)


def test_counting_repeats_takes_little_memory() -> None:
    """All at once would take 25 MB."""
    hashes = RowHashes()
    hashes.add(1, [b"%d" % (number % 199_000) for number in range(200_000)])

    def count() -> None:
        assert hashes.duplicates().rows == 1_000

    assert_peak_below(14_000_000, count)


def test_every_row_is_as_likely_to_be_sampled() -> None:
    """Of 200 rows a sample of at most 20, four thousand times: each row's share is that of the others."""
    rows = [b"row %d" % number for number in range(200)]
    taken: Counter[bytes] = Counter()
    for seed in range(4_000):
        sample = RowSample(max_rows=20, seed=seed)
        for start in range(0, 200, 30):
            sample.add(rows[start : start + 30])
        taken.update(row for row in sample.rows if isinstance(row, bytes))
    expected = taken.total() / len(rows)
    chi_square = sum((taken[row] - expected) ** 2 / expected for row in rows)
    assert chi_square < 270, "99.9 % of uniform samples are below 268, by 199 degrees of freedom"
    assert 10 <= taken.total() / 4_000 <= 20


def test_a_sample_is_the_same_in_whatever_blocks_the_file_comes() -> None:
    rows = [b"row %d" % number for number in range(9_000)]
    samples = []
    for block in (1, 133, 9_000):
        sample = RowSample()
        for start in range(0, len(rows), block):
            sample.add(rows[start : start + block])
        samples.append((sample.rows, sample.probability))
    assert samples[0] == samples[1] == samples[2]


def test_a_sample_is_bounded_in_rows_and_bytes() -> None:
    rows = [b"x" * 1_000] * 500
    assert len(_sampled(rows, max_rows=100).rows) <= 100
    sample = _sampled(rows, max_bytes=20_000)
    assert 0 < len(sample.rows) <= 20
    long_rows = [chat("Why?", "because " * 20_000)] * 300
    kept = _sampled(long_rows, max_bytes=20 * LONG_ROW_BYTES)
    assert 0 < len(kept.rows) <= 20
    assert all(not isinstance(row, bytes) for row in kept.rows), "of a long row an excerpt is kept"


def _sampled(rows: list[bytes], *, max_rows: int = 2_000, max_bytes: int = 4_194_304) -> RowSample:
    sample = RowSample(max_rows=max_rows, max_bytes=max_bytes)
    sample.add(rows)
    return sample


def test_blank_lines_are_not_sampled() -> None:
    assert _sampled([b"", b"row", b""]).rows == [b"row"]


def test_memory_is_bounded_however_large_the_file() -> None:
    """The sample, the lengths, one block, and 8 bytes a line of hashes, while 200 million bytes go by."""
    row = chat("Why?", "because " * 40)

    def gather() -> None:
        statistics = RowStatistics(context_tokens=1_000_000, tokenizer=WordTokenizer)
        for first in range(0, 20_000, 100):
            statistics.add(first + 1, [row + b" " * (number % 30_000) for number in range(first, first + 100)])

    assert_peak_below(10_000_000, gather)


def test_rows_beyond_the_context_are_named_by_line() -> None:
    rows = [chat("Why?", "because " * words) for words in (5, 500, 10, 2_000, 400)]
    found = figures_of([b"", *rows], context_tokens=300).beyond_context
    assert found is not None
    assert (found.rows, found.first_lines) == (3, (3, 5, 6))
    by_count = figures_of([b"", *rows], context_tokens=300, exact_tokens=True).beyond_context
    assert by_count == found


def test_a_row_at_the_context_is_not_beyond_it() -> None:
    row = chat("Why?", "because " * 100)
    tokens = 3 + 4 + 2 + 4 + 100
    for exact in (True, False):
        at_limit = figures_of([row], context_tokens=tokens, exact_tokens=exact).beyond_context
        above = figures_of([row], context_tokens=tokens - 1, exact_tokens=exact).beyond_context
        assert at_limit is not None
        assert above is not None
        assert (at_limit.rows, above.rows) == (0, 1)


def test_without_a_published_context_nothing_is_said_of_it() -> None:
    assert figures_of([chat("Why?", "because")]).beyond_context is None


def test_a_file_without_rows_has_figures_of_nothing() -> None:
    figures = gathered([b"", b""], RowStatistics(context_tokens=5, tokenizer=WordTokenizer)).figures()
    assert (figures.tokens.tokens, figures.row_bytes.longest, figures.duplicates.rows) == (0, 0, 0)
