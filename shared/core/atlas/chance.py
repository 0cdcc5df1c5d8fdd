"""How sure one can be: the interval of a rate, and how likely chance alone explains that one rate is above another."""

import math

Z95 = 1.959963984540054
"""Standard deviations on both sides of the mean that hold 95 % of a normal distribution."""


def wilson(failed: int, documents: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a rate: right for few documents and for rates near 0 and 1, where the usual one is not."""
    if documents == 0:
        return 0.0, 1.0
    rate, spread = failed / documents, z * z / documents
    middle = rate + spread / 2
    half = z * math.sqrt(rate * (1 - rate) / documents + spread / (4 * documents))
    low = 0.0 if failed == 0 else (middle - half) / (1 + spread)
    high = 1.0 if failed == documents else (middle + half) / (1 + spread)
    return low, high


def log_excess(failed: int, documents: int, others_failed: int, others: int, ratio: float = 1.0) -> float:
    """Logarithm of the chance of so many failures or more in a group, were its rate at most `ratio` times the others'.

    Exact given how many failed in all, and conservative: of these, each is in the group with at most the chance
    n·ratio / (n·ratio + m). It counts the doubt about the others' rate too, which a test against a fixed rate forgets.
    """
    weight = documents * ratio
    if weight == 0:
        return 0.0
    return log_tail(failed, failed + others_failed, weight / (weight + others))


def log_tail(successes: int, trials: int, share: float) -> float:
    """Logarithm of P(X ≥ successes) for X binomial; 0.0, the chance 1, below the mean, where nobody asks."""
    if successes <= trials * share or share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 0.0
    odds = share / (1 - share)
    term, total, count = 1.0, 1.0, successes
    while count < trials:
        term *= (trials - count) / (count + 1) * odds
        total += term
        count += 1
        if term < total * 1e-12:
            break
    return log_term(successes, trials, share) + math.log(total)


def log_term(successes: int, trials: int, share: float) -> float:
    """Logarithm of P(X = successes) for X binomial."""
    ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    hits = successes * math.log(share) if successes else 0.0
    return ways + hits + (trials - successes) * math.log1p(-share)
