"""From what speaks for each entry to match, unsure or no_match, with the probability that the best one is right.

Two logistics, each fitted on photos of known outcome (`arthur.calibration`): one over the global scores alone, for
answers without geometry, and one over what geometric verification found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from arthur.errors import ConfigError
from arthur.types import DecisionKind, JsonValue

NOT_CALIBRATED = "not calibrated for this catalogue"
NOTHING_TO_COMPARE = "nothing in the searched part of the catalogue"
NOTHING_SIMILAR = "no entry is similar enough"
TOO_CLOSE = "the two best entries are nearly alike"
TOO_FAR = "the best entry is less similar than a certain match would be"
LITTLE_VISIBLE = "only a small part of the work can be recognized"

SOFTENING = 0.03
"""Distance below which two entries are told apart no further."""
ALIKE = math.log(2)
"""Lead below which a rival is named as the doubt: it is less than twice as far, or has more than half the proof."""
SPECK, ASIDE, FAR_OFF = 0.02, 0.2, 0.3
"""Coverage that is hardly told from none; centrality and distance from the middle that count no less, or no more."""
RIVALS = 6
"""Entries that can be rivals: those behind them are far behind."""
SHARP = 3.0
"""How many times the difference of two entries' log-odds counts when both could be the one in the photo: what is seen
of one part of the photo is seen for both, so that even a small difference tells them apart."""
UNSEEN = 10
"""Features by which those that should show are taken to be more, so that few of few are no proof."""
AGREEMENT = 0.4
"""Agreement that is taken where nobody compared: as little as a work seen badly has, so that a work of a series is not
taken for another before they were compared."""
ACCIDENT, LIKENESS = -2.0, 2.0
"""When entries are put in order: proof that any accident gives, and what a score of 1 is worth beside proof, so that it
decides about works without features."""
SMALL_PART = 0.15
"""Coverage below which it is named as the doubt."""
_HALF = 0.5
_MOST = 500.0
"""Largest exponent."""

SCORE_INPUTS = ("score", "lead")
AIM_INPUTS = ("central", "aim")
"""What tells the work that a photo was taken of from one that only hangs in view: people aim, simulated ones do not."""
GEOMETRY_INPUTS = ("proof", "support", "agreement", *AIM_INPUTS)


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for one entry.

    Attributes:
        score: cosine similarity of the whole photo and the entry's best view.
        inliers: features of the photo that one plane perspective lays onto the work; None when nobody looked.
        coverage: share of the work's area that they cover, 0..1.
        support: inliers as a share of those features of the work that the photo should show, 0..1.
        central: how near to the middle of the photo they lie, 0 at a corner and 1 in the middle.
        agreement: how alike the two look block by block, the mean, -1..1; None when that was not compared.
        typical: the median of the same.
        off_middle: how far the middle of the photo lies from the work, 0 on it, 1 for half a diagonal.
    """

    score: float
    inliers: int | None = None
    coverage: float = 0.0
    support: float = 0.0
    central: float = 0.0
    agreement: float | None = None
    typical: float | None = None
    off_middle: float = 0.0


@dataclass(frozen=True, slots=True)
class Logistic:
    """Log-odds as a sum: intercept + weight * input. No weight is negative, so a stronger sign never counts against.

    Raises:
        ConfigError: a number is not finite, or a weight is negative.
    """

    intercept: float
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        """Refuse numbers that would make the decision meaningless."""
        if not all(math.isfinite(number) for number in (self.intercept, *self.weights.values())):
            raise ConfigError("the calibration holds a number that is not finite; fit it again")
        if any(weight < 0 for weight in self.weights.values()):
            raise ConfigError("the calibration has a negative weight; fit it again")

    def odds(self, inputs: Mapping[str, float]) -> float:
        """Return the log-odds; inputs that are not given count as 0."""
        return self.intercept + sum(weight * inputs.get(name, 0.0) for name, weight in self.weights.items())


def probability_of(odds: float) -> float:
    """Return the probability, 0..1, of log-odds."""
    return 1 / (1 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1 + math.exp(odds))


@dataclass(frozen=True, slots=True)
class Calibration:
    """How signs become probabilities.

    Attributes:
        by_score: over SCORE_INPUTS, for answers without geometry.
        by_geometry: over GEOMETRY_INPUTS.
        keenness: how many times positive log-odds of `by_geometry` count: most photos say little of the surest.
        lone_rival: the score assumed of a rival where there is none: the usual best score of a wrong entry.
        fingerprint: of the engine whose scores were fitted; "" when it was fitted on another engine.
        verifier: fingerprint of the verifier whose inliers were fitted; "" when it was fitted with another one.
        for_catalogue: whether it was fitted on the operator's own catalogue.
        provenance: how the numbers came about (data, sizes, seed, quality of the fit).
    """

    by_score: Logistic
    by_geometry: Logistic
    lone_rival: float
    keenness: float = 1.0
    fingerprint: str = ""
    verifier: str = ""
    for_catalogue: bool = False
    provenance: Mapping[str, JsonValue] = field(default_factory=dict)

    def probability(self, signs: Signs, rivals: Sequence[Signs] = ()) -> float:
        """Return the probability, 0..1, that an entry with these signs is the photographed work.

        `rivals` are the other entries that could be what was taken for it.
        """
        if signs.inliers is None:
            rival = max((one.score for one in rivals), default=self.lone_rival)
            return probability_of(self.by_score.odds(score_inputs(signs, rival)))
        odds = self.by_geometry.odds(geometry_inputs(signs))
        return probability_of(odds * self.keenness if odds > 0 else odds) * self.share(signs, rivals)

    def share(self, signs: Signs, rivals: Sequence[Signs]) -> float:
        """Return the probability, 0..1, that it is this entry, if it is one of these at all."""
        odds = self.by_geometry.odds(_beside_rivals(signs))
        behind = (SHARP * (self.by_geometry.odds(_beside_rivals(rival)) - odds) for rival in rivals)
        return 1 / (1 + sum(math.exp(min(_MOST, distance)) for distance in behind))


def score_inputs(signs: Signs, rival: float) -> dict[str, float]:
    """Return the inputs of `by_score`, given the highest score of another entry."""
    return {"score": signs.score, "lead": lead(signs.score, rival)}


def geometry_inputs(signs: Signs) -> dict[str, float]:
    """Return the inputs of `by_geometry`.

    Proof is for the doubt whether the plane is an accident, support and agreement whether it is this work or one of its
    series, the aim inputs whether it only lies in view. Support weighs as much as there is proof: few of few are none.
    """
    inliers, proven = signs.inliers or 0, proof(signs)
    supported = inliers / (inliers / signs.support + UNSEEN) if signs.support > 0 else 0.0
    return {
        "proof": proven,
        "support": max(0.0, proven) * supported,
        "agreement": 0.0 if signs.typical is None else signs.typical - AGREEMENT,
        "central": math.log(max(ASIDE, signs.central)),
        "aim": -min(FAR_OFF, signs.off_middle),
    }


def _beside_rivals(signs: Signs) -> dict[str, float]:
    """Return the inputs by which rivals are told apart: what hides a part hides it of all, so every block counts."""
    return geometry_inputs(replace(signs, typical=signs.agreement))


def proof(signs: Signs) -> float:
    """Return the logarithm of inliers times coverage times centrality: by how much geometry says it is no accident."""
    inliers = math.log1p(signs.inliers or 0)
    return inliers + math.log(signs.coverage + SPECK) + math.log(max(ASIDE, signs.central))


def strength(signs: Signs) -> tuple[bool, float, float]:
    """Return what puts entries in order: whether geometry was consulted, what it and the score say, the score."""
    consulted = signs.inliers is not None
    seen = max(ACCIDENT, proof(signs)) + LIKENESS * signs.score if consulted else 0.0
    return consulted, seen, signs.score


def ranked(entries: Sequence[Signs]) -> tuple[int, ...]:
    """Return the places of the entries, strongest first."""
    return tuple(sorted(range(len(entries)), key=lambda place: strength(entries[place]), reverse=True))


def lead(score: float, rival: float) -> float:
    """Return the logarithm of how many times farther the rival is; negative when it is nearer.

    The distance is 1 - score, with SOFTENING added, so that near copies do not make it boundless.
    """
    return math.log((max(0.0, 1 - rival) + SOFTENING) / (max(0.0, 1 - score) + SOFTENING))


@dataclass(frozen=True, slots=True)
class Decision:
    """What to say about the best entry.

    Attributes:
        order: places of the entries in the given list, best first.
        probabilities: of the entries in that order.
    """

    kind: DecisionKind
    probability: float
    reasons: tuple[str, ...]
    order: tuple[int, ...] = ()
    probabilities: tuple[float, ...] = ()


def never(_one: int, _other: int) -> bool:
    """Return False: no two entries hang side by side."""
    return False


def decide(
    entries: Sequence[Signs],
    calibration: Calibration,
    *,
    max_false_accept: float,
    apart: Callable[[int, int], bool] = never,
) -> Decision:
    """Put the entries in order and decide about the best one.

    It is a `match` only if the probability that it is wrong is at most `max_false_accept`, and a `no_match`
    when it is more likely wrong than right, rivals apart. Once geometry was consulted for one entry, the others count
    as not found by it.

    Args:
        entries: what speaks for each.
        calibration: makes probabilities of it.
        max_false_accept: 0..1.
        apart: tells of two places in `entries` whether they hang side by side in the photo, and so are no rivals.
    """
    caveat = () if calibration.for_catalogue else (NOT_CALIBRATED,)
    if not entries:
        return Decision("no_match", 0.0, (NOTHING_TO_COMPARE,))
    if any(signs.inliers is not None for signs in entries):
        entries = [signs if signs.inliers is not None else replace(signs, inliers=0) for signs in entries]
    order, rivals, certain = _placed(entries, calibration, apart)
    best = order[0]
    probability = certain[best]
    # what is no work beside the best one has what that leaves, and the list falls, though a weaker entry may have
    # the better odds
    left = (1.0 if apart(best, place) else 1 - probability for place in order[1:])
    rest = accumulate(map(min, (certain[place] for place in order[1:]), left), min)
    kind = kind_of(probability, max_false_accept)
    if kind == "no_match" and calibration.probability(entries[best]) >= _HALF:
        kind = "unsure"  # it is one of these, though not to be told which
    reasons = caveat if kind == "match" else (_doubt(kind, entries[best], rivals[best]), *caveat)
    return Decision(kind, probability, reasons, order, (probability, *rest))


def _placed(
    entries: Sequence[Signs], calibration: Calibration, apart: Callable[[int, int], bool]
) -> tuple[tuple[int, ...], dict[int, list[Signs]], dict[int, float]]:
    """Return the places of the entries, best first, and for each its rivals and its probability."""
    order = ranked(entries)
    rivals = {
        place: [entries[other] for other in order[:RIVALS] if other != place and not apart(place, other)]
        for place in order
    }
    certain = {place: calibration.probability(entries[place], rivals[place]) for place in order}
    # of works that hang side by side the most certain one comes first
    beside = [place for place in order[:RIVALS] if place == order[0] or apart(order[0], place)]
    best = max(beside, key=certain.__getitem__)
    return (best, *(place for place in order if place != best)), rivals, certain


def kind_of(probability: float, max_false_accept: float) -> DecisionKind:
    """Return what to say about an entry that is right with this probability."""
    if 1 - probability <= max_false_accept:
        return "match"
    return "no_match" if probability < min(_HALF, 1 - max_false_accept) else "unsure"


def _doubt(kind: DecisionKind, best: Signs, rivals: Sequence[Signs]) -> str:
    """Return the reason why an answer is no match; `rivals` strongest first."""
    if kind == "no_match":
        return NOTHING_SIMILAR
    if rivals and _is_close(best, rivals[0]):
        return TOO_CLOSE
    if best.inliers and best.coverage < SMALL_PART:
        return LITTLE_VISIBLE
    return TOO_FAR


def _is_close(best: Signs, rival: Signs) -> bool:
    if best.inliers is None:
        return lead(best.score, rival.score) < ALIKE
    return proof(best) - proof(rival) < ALIKE
