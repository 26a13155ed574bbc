"""How alike two labels are, for proposals that a person confirms."""

from collections.abc import Mapping

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from lib.normalize.names import name_key


def name_scores(a: str, b: str) -> tuple[float, float]:
    """Return two different likenesses of two labels, each 0..1: by words in any order, and by characters.

    Two, because one scorer alone ties labels such as "Hired" and "Hired elsewhere".
    """
    left, right = name_key(a), name_key(b)
    if not left or not right:
        return (1.0, 1.0) if a.strip() == b.strip() else (0.0, 0.0)
    return fuzz.token_sort_ratio(left, right) / 100, JaroWinkler.normalized_similarity(left, right)


def best_matches(text: str, options: Mapping[str, str], *, n: int = 3) -> list[tuple[str, str, float, float]]:
    """Return the `n` labels most like `text`, best first, as (id, label, score, margin to the next one).

    `options` is id → label. The score is the mean of both `name_scores`; the last option's margin is its score.
    Ties are ordered by label and id, and show as a margin of 0.
    """
    scored = sorted((-sum(name_scores(text, label)) / 2, label, option) for option, label in options.items())
    following = [score for score, _, _ in scored[1:]] + [0.0]
    return [
        (option, label, round(-score, 4), round(after - score, 4))
        for (score, label, option), after in list(zip(scored, following, strict=False))[:n]
    ]
