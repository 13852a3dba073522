"""What may be said of counts: exact bounds, and whether the new drafts are no worse. Pure.

Everything exact comes from scipy; it and numpy are imported late, as only the judging process needs
them. What lives elsewhere: how many are enough and what follows (``gates``).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

CONFIDENCE = 0.95
MARGIN = 0.03  # of "would have been sent with at most light edits"
ALPHA = 0.05
_Z_ALPHA, _Z_POWER = 1.645, 0.842  # 5 % one-sided, 80 %; rounded as tables print them
_FEWEST_PAIRS = 344  # as many as 5 % of discordance ask for
_RESAMPLES, _SEED = 2000, 20_261


class Pairs(NamedTuple):
    """Paired answers: would each draft have been sent with at most light edits?"""

    both: int
    only_new: int
    only_legacy: int
    neither: int

    @property
    def total(self) -> int:
        """How many pairs there are."""
        return sum(self)

    @property
    def discordant(self) -> int:
        """Pairs in which the two differ; only they say which is better."""
        return self.only_new + self.only_legacy

    @property
    def difference(self) -> float:
        """Share of the new path minus share of legacy; 0 without pairs."""
        return (self.only_new - self.only_legacy) / self.total if self.total else 0.0


def upper_bound(missed: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Return the exact (Clopper-Pearson) one-sided upper bound of a rate; 1 for no data."""
    if missed >= n:
        return 1.0
    from scipy.stats import beta  # noqa: PLC0415 - see above

    return float(beta.ppf(confidence, missed + 1, n - missed))


def lower_bound(found: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Return the exact one-sided lower bound of a rate; 0 for no data."""
    return 1.0 - upper_bound(n - found, n, confidence)


def needed_without_a_miss(rate: float, confidence: float = CONFIDENCE) -> int:
    """Return how many without a single miss prove a miss rate below ``rate``."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate))


def pairs_needed(discordance: float, ahead: float = 0.0) -> int:
    """Return the pairs that show non-inferiority by the margin with 80 % power, one-sided 5 %.

    ``ahead``: by how much the new path is better at least; 0 asks for what the table of the plan
    does (344, 688, 1,375 at 5, 10, 20 %). Who is far ahead disagrees with legacy nearly always, and
    would need thousands of pairs if nothing were made of being ahead. Never fewer than 344; the
    exact test, not this plan, says whether it is shown.
    """
    variance = max(discordance - ahead**2, 0.0)
    planned = math.ceil((_Z_ALPHA + _Z_POWER) ** 2 * variance / (MARGIN + ahead) ** 2)
    return max(planned, _FEWEST_PAIRS)


def worse_by_the_margin(pairs: Pairs) -> float:
    """Return how likely data at least this good are if the new path is worse by the margin.

    Exact McNemar, conditional on the discordant pairs, moved by the margin: were the new path worse
    by just 3 points, a discordant pair would favour it with probability (d - margin) / 2d, where d
    is the share of discordant pairs. One-sided; small means non-inferior. 1 without pairs.
    """
    if not pairs.total:
        return 1.0
    if not pairs.discordant:  # no difference was seen: as a share that was never seen
        return (1 - MARGIN) ** pairs.total
    from scipy.stats import binom  # noqa: PLC0415

    discordance = pairs.discordant / pairs.total
    chance = max(0.0, (discordance - MARGIN) / (2 * discordance))
    return float(binom.sf(pairs.only_new - 1, pairs.discordant, chance))


def no_better(pairs: Pairs) -> float:
    """Return the exact one-sided McNemar probability of so many for legacy if both are alike."""
    if not pairs.discordant:
        return 1.0
    from scipy.stats import binom  # noqa: PLC0415

    return float(binom.sf(pairs.only_legacy - 1, pairs.discordant, 0.5))


def alpha_of_look(number: int) -> float:
    """Return the error that the n-th look of an engine may spend: 5 % / (n (n + 1)).

    The shares of all looks together are 5 %, however many follow, so that looking again cannot make
    a proof: 2.5 % for the first, 0.83 % for the second.
    """
    return ALPHA / (number * (number + 1))


def bootstrap_by_thread(
    threads: Sequence[str], new: Sequence[bool], legacy: Sequence[bool], alpha: float = ALPHA
) -> tuple[float, float]:
    """Return the interval of the difference (new minus legacy), resampled by thread.

    Messages of one thread stand or fall together: resampled one by one they look two to three times
    as certain as they are. The seed is fixed, so the same data give the same interval.
    """
    if not threads:
        return -1.0, 1.0
    import numpy as np  # noqa: PLC0415

    _, place = np.unique(np.asarray(threads), return_inverse=True)
    gain = np.asarray(new, dtype=np.float64) - np.asarray(legacy, dtype=np.float64)
    sums, sizes = np.bincount(place, weights=gain), np.bincount(place)
    generator = np.random.default_rng(_SEED)
    means = np.empty(_RESAMPLES)
    for number in range(_RESAMPLES):
        drawn = generator.integers(0, len(sums), len(sums))
        means[number] = sums[drawn].sum() / sizes[drawn].sum()
    low, high = np.quantile(means, [alpha, 1 - alpha])
    return float(low), float(high)
