"""Exact figures against what is published: the rule of three, the table of pairs, McNemar."""

import pytest

from swarm.cutover import statistics
from swarm.cutover.statistics import Pairs


@pytest.mark.parametrize(("rate", "n"), [(0.05, 59), (0.02, 149), (0.01, 299), (0.005, 598)])
def test_so_many_without_a_miss_prove_a_rate(rate: float, n: int) -> None:
    assert statistics.needed_without_a_miss(rate) == n
    assert statistics.upper_bound(0, n) < rate <= statistics.upper_bound(0, n - 1)


def test_two_weeks_live_prove_little() -> None:
    assert statistics.upper_bound(0, 14) == pytest.approx(0.193, abs=0.001)


@pytest.mark.parametrize("n", [59, 149, 299, 598])
def test_the_exact_bound_agrees_with_the_rule_of_three(n: int) -> None:
    assert statistics.upper_bound(0, n) == pytest.approx(3 / n, rel=0.03)


@pytest.mark.parametrize(
    ("missed", "n", "bound"),
    [(1, 10, 0.3942), (2, 20, 0.2826), (5, 50, 0.1988), (1, 100, 0.0466)],
)
def test_bounds_with_misses_are_clopper_pearson(missed: int, n: int, bound: float) -> None:
    assert statistics.upper_bound(missed, n) == pytest.approx(bound, abs=0.0002)


def test_no_data_bound_nothing() -> None:
    assert (statistics.upper_bound(0, 0), statistics.lower_bound(0, 0)) == (1.0, 0.0)
    assert statistics.lower_bound(81, 100) == pytest.approx(1 - statistics.upper_bound(19, 100))


@pytest.mark.parametrize(("discordance", "n"), [(0.05, 344), (0.10, 688), (0.20, 1375)])
def test_the_pairs_needed_are_the_tables(discordance: float, n: int) -> None:
    assert statistics.pairs_needed(discordance) == n


def test_the_exact_mcnemar_is_the_binomial_of_the_discordant() -> None:
    """Six of six discordant pairs for one side: one in 64."""
    assert statistics.no_better(Pairs(50, 0, 6, 10)) == pytest.approx(1 / 64)
    assert statistics.no_better(Pairs(50, 5, 5, 10)) == pytest.approx(0.623, abs=0.001)


def test_alike_drafts_are_shown_to_be_no_worse_by_the_pairs_of_the_table() -> None:
    assert statistics.worse_by_the_margin(Pairs(300, 9, 9, 26)) < 0.05
    assert statistics.worse_by_the_margin(Pairs(60, 3, 3, 6)) > 0.05


def test_drafts_that_are_worse_by_just_the_margin_are_shown_in_one_of_twenty() -> None:
    """3 points worse of 10 % discordant: the chance of the favour is 35 of 100."""
    found = [statistics.worse_by_the_margin(Pairs(900, k, 100 - k, 0)) for k in range(101)]
    first = next(k for k, doubt in enumerate(found) if doubt <= 0.05)
    assert first == 44  # binom(100, 0.35): P(X >= 44) = 0.039, P(X >= 43) = 0.062


def test_no_pairs_show_nothing() -> None:
    assert statistics.worse_by_the_margin(Pairs(0, 0, 0, 0)) == 1.0
    assert statistics.bootstrap_by_thread([], [], []) == (-1.0, 1.0)


def test_looks_share_the_error_out_however_many_there_are() -> None:
    spent = [statistics.alpha_of_look(n) for n in range(1, 10_000)]
    assert spent[0] == 0.025
    assert sum(spent) < statistics.ALPHA
    assert sum(spent) == pytest.approx(statistics.ALPHA, abs=1e-4)


def test_messages_of_one_thread_make_the_interval_wider_than_as_many_threads() -> None:
    new = [True] * 180 + [False] * 20
    legacy = [True] * 160 + [False] * 40
    alone = [f"t{n}" for n in range(200)]
    crowded = [f"t{n // 20}" for n in range(200)]
    low, high = statistics.bootstrap_by_thread(alone, new, legacy)
    wide_low, wide_high = statistics.bootstrap_by_thread(crowded, new, legacy)
    assert wide_high - wide_low > 1.5 * (high - low)


def test_the_same_data_give_the_same_interval() -> None:
    threads, new, legacy = ["a", "b", "c"] * 20, [True, False, True] * 20, [True] * 60
    once = statistics.bootstrap_by_thread(threads, new, legacy)
    assert statistics.bootstrap_by_thread(threads, new, legacy) == once
