"""From scores to match, unsure or no_match, with the probability that the best entry is the photographed work."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from arthur.errors import ConfigError
from arthur.types import DecisionKind, JsonValue

NOT_CALIBRATED = "not calibrated for this catalogue"
NOTHING_TO_COMPARE = "nothing in the searched part of the catalogue"
NOTHING_SIMILAR = "no entry is similar enough"
TOO_CLOSE = "the two best entries are nearly alike"
TOO_FAR = "the best entry is less similar than a certain match would be"

SOFTENING = 0.03
"""Distance below which two entries are told apart no further."""
ALIKE = math.log(2)
"""Lead below which a rival is named as the doubt: it is less than twice as far as the best entry."""
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic over the best entry's score and its lead over the best other entry.

    The lead is the logarithm of how many times farther the rival is: with the distance 1 - score, and SOFTENING added
    to both, so that near copies do not make it boundless.

    Attributes:
        intercept, score_weight, lead_weight: log-odds = intercept + score_weight * score + lead_weight * lead.
            The weights are not negative, so a higher score or a weaker rival never lowers the probability.
        lone_rival: the score assumed of a rival where there is none: the usual best score of a wrong entry.
        fingerprint: of the engine whose scores were fitted; "" when it was fitted on another engine.
        for_catalogue: whether it was fitted on the operator's own catalogue.
        provenance: how the numbers came about (data, sizes, seed, quality of the fit).
    """

    intercept: float
    score_weight: float
    lead_weight: float
    lone_rival: float
    fingerprint: str = ""
    for_catalogue: bool = False
    provenance: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse numbers that would make the decision meaningless.

        Raises:
            ConfigError: a number is not finite, or a weight is negative.
        """
        numbers = (self.intercept, self.score_weight, self.lead_weight, self.lone_rival)
        if not all(math.isfinite(number) for number in numbers):
            raise ConfigError("the calibration holds a number that is not finite; fit it again")
        if self.score_weight < 0 or self.lead_weight < 0:
            raise ConfigError("the calibration has a negative weight; fit it again")

    def probability(self, score: float, rival: float | None) -> float:
        """Return the probability, 0..1, that an entry of this score is the photographed work.

        `rival` is the best score of any other entry; None when there is none.
        """
        ahead = lead(score, self.lone_rival if rival is None else rival)
        odds = self.intercept + self.score_weight * score + self.lead_weight * ahead
        return 1 / (1 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1 + math.exp(odds))


def lead(score: float, rival: float) -> float:
    """Return the logarithm of how many times farther the rival is; negative when it is nearer."""
    return math.log((max(0.0, 1 - rival) + SOFTENING) / (max(0.0, 1 - score) + SOFTENING))


@dataclass(frozen=True, slots=True)
class Decision:
    """What to say about the best entry, and the probability of each entry in the given order."""

    kind: DecisionKind
    probability: float
    reasons: tuple[str, ...]
    probabilities: tuple[float, ...] = ()


def decide(scores: Sequence[float], calibration: Calibration, *, max_false_accept: float) -> Decision:
    """Decide about the best of `scores`, one per entry, best first.

    It is a `match` only if the probability that it is wrong is at most `max_false_accept`, and a `no_match`
    when it is more likely wrong than right.
    """
    caveat = () if calibration.for_catalogue else (NOT_CALIBRATED,)
    if not scores:
        return Decision("no_match", 0.0, (NOTHING_TO_COMPARE,))
    best = scores[0]
    rival = scores[1] if len(scores) > 1 else None
    probability = calibration.probability(best, rival)
    rest = (min(calibration.probability(score, best), 1 - probability) for score in scores[1:])
    probabilities = (probability, *rest)
    if 1 - probability <= max_false_accept:
        return Decision("match", probability, caveat, probabilities)
    if probability < min(_HALF, 1 - max_false_accept):
        return Decision("no_match", probability, (NOTHING_SIMILAR, *caveat), probabilities)
    close = rival is not None and lead(best, rival) < ALIKE
    return Decision("unsure", probability, (TOO_CLOSE if close else TOO_FAR, *caveat), probabilities)


def default_calibration() -> Calibration:
    """Return the coefficients that ship with Arthur; `bench/decision.py` fitted them."""
    return parse_calibration(resources.files("arthur").joinpath("decision.json").read_text(), source="decision.json")


def load_calibration(note: str | None, shipped: Path | None, *, fingerprint: str) -> Calibration:
    """Return the best calibration there is for an engine.

    Args:
        note: what the catalogue remembers, fitted on the operator's own works; None when nothing was fitted.
        shipped: a `decision.json` beside the engine; need not exist.
        fingerprint: of the engine. A calibration of another engine is passed over.

    Raises:
        ConfigError: a calibration that would be taken cannot be read.
    """
    texts = [("the calibration kept in the catalog", note)]
    if shipped is not None and shipped.is_file():
        texts.append((str(shipped), shipped.read_text(encoding="utf-8")))
    for source, text in texts:
        if text is not None and (found := parse_calibration(text, source=source)).fingerprint == fingerprint:
            return found
    return default_calibration()


def parse_calibration(text: str, *, source: str) -> Calibration:
    """Read a calibration from JSON; `source` names it in errors.

    Raises:
        ConfigError: it is not JSON of the expected form.
    """
    try:
        return Calibration(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{source} is not a calibration: {error}") from error
