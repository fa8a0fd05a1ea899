"""The statistics of the experiment, pure and seeded: intervals over seeds, exact tests of paired differences, rank correlation."""
import itertools, math, random, statistics, unittest

RESAMPLES = 10_000


def percentiles(drawn, level=0.95):
    """The ends of a percentile interval, by linear interpolation as numpy does."""
    drawn, ends = sorted(drawn), []
    for share in ((1 - level) / 2, (1 + level) / 2):
        at = share * (len(drawn) - 1)
        low = math.floor(at)
        ends.append(drawn[low] + (at - low) * (drawn[min(low + 1, len(drawn) - 1)] - drawn[low]))
    return tuple(ends)


def over_seeds(values, resamples=RESAMPLES):
    """Mean, and its 95 % percentile bootstrap interval over seeds (Efron and Tibshirani 1993, 13.3). One seed has no interval."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, None
    drawn = random.Random(17)
    means = [statistics.fmean(drawn.choices(values, k=len(values))) for _ in range(resamples)]
    return mean, percentiles(means)


def sign_flip(differences):
    """The exact two-sided p of no difference: all signs are equally likely. With n seeds it is never below 2 / 2^n. At most 16 differences."""
    if len(differences) > 16:
        raise ValueError("2^n sign changes are counted one by one: 16 differences at most")
    seen = abs(sum(differences)) - 1e-12
    flips = [abs(sum(s * d for s, d in zip(signs, differences))) >= seen for signs in itertools.product((1, -1), repeat=len(differences))]
    return sum(flips) / len(flips)


def ranks(values):
    """Ranks from 1, ties shared."""
    ordered = sorted(values)
    first, count = {}, {}
    for i, v in enumerate(ordered):
        first.setdefault(v, i)
        count[v] = count.get(v, 0) + 1
    return [first[v] + (count[v] + 1) / 2 for v in values]


def spearman(a, b):
    """Spearman's rank correlation; `None` where one side is all alike."""
    a, b = ranks(a), ranks(b)
    if len(set(a)) < 2 or len(set(b)) < 2:
        return None
    return statistics.correlation(a, b)


def spearman_interval(a, b, resamples=2000):
    """Its 95 % percentile bootstrap interval over pairs."""
    drawn, pairs, seen = random.Random(17), list(zip(a, b)), []
    for _ in range(resamples):
        one = spearman(*zip(*drawn.choices(pairs, k=len(pairs))))
        if one is not None:
            seen.append(one)
    return percentiles(seen)


def wilson(k, n, z=1.96):
    """Wilson's 95 % interval of a share (1927)."""
    centre = (k / n + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def f1(right, questions):
    """F1 where every question expects one answer: 2a / (1 + a) of the accuracy a."""
    return 2 * right / (questions + right)


class Known(unittest.TestCase):
    """Figures that scipy 1.17.1 and numpy give, or that can be counted by hand."""

    def test_spearman(self):
        a, b = [86, 97, 99, 100, 101, 103, 106, 110, 112, 113], [2, 20, 28, 27, 50, 29, 7, 17, 6, 12]
        self.assertAlmostEqual(spearman(a, b), -0.1757575757575758)
        self.assertAlmostEqual(spearman([1, 2, 2, 4], [1, 3, 2, 4]), 0.9486832980505138)  # with a tie
        self.assertIsNone(spearman([1, 1, 1], [1, 2, 3]))
        low, high = spearman_interval(list(range(40)), [x + (x * 7 % 5) for x in range(40)])
        self.assertTrue(0.9 < low < high <= 1)

    def test_sign_flip(self):
        self.assertEqual(sign_flip([1, 2, 3, 4, 5, 6, 7, 8]), 2 / 256)
        self.assertEqual(sign_flip([1, -1]), 1)
        self.assertEqual(sign_flip([3, 1, -1]), 6 / 8)  # the sums 5, 3, 3, 1 and their mirrors: six are 3 or more off
        self.assertEqual(sign_flip([0, 0, 0]), 1)

    def test_intervals(self):
        for end, known in zip(percentiles(range(101)), (2.5, 97.5)):
            self.assertAlmostEqual(end, known)
        mean, (low, high) = over_seeds([0.1, 0.2, 0.3, 0.4])
        self.assertAlmostEqual(mean, 0.25)
        self.assertTrue(0.13 < low < 0.19 and 0.31 < high < 0.37)
        self.assertEqual(over_seeds([0.3])[1], None)
        low, high = wilson(37, 40)
        self.assertTrue(abs(low - 0.8014) < 1e-3 and abs(high - 0.9742) < 1e-3)
        self.assertAlmostEqual(f1(742, 1319), 2 * 742 / 1319 / (1 + 742 / 1319))
