"""Which records of two systems may be the same: candidates with a score and the reasons for it. Pure.

What is surely the same is linked by rules (sync.contact); this is for what is left, and a person decides. A score of
100 means equal in all that both tell; nothing is ever linked because of a score.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct
from rapidfuzz import fuzz

from isthmus.model.entity import State

#: Below this nobody needs to look.
WORTH_A_LOOK = 70.0
#: What is shown of one record.
MOST_CANDIDATES = 5
#: A word that more than this share of records have says nothing of which record it is.
_COMMON = 0.05
_FEW = 20

#: Letters that people without them write as two.
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
#: Legal forms and fillers that differ between systems for the same business.
_FILLERS = frozenset(
    {"ag", "and", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "kg", "limited", "llc", "ltd", "nv",
     "of", "plc", "pty", "sa", "sarl", "srl", "the", "und"}
)  # fmt: skip


class Evidence(Struct, frozen=True):
    """A field that tells records apart, how much it weighs, and whether it may be spelt differently."""

    path: str
    weight: float
    fuzzy: bool = False


class Candidate(Struct, frozen=True):
    """A record of the other side that may be the same. `reasons` name fields and both values' likeness, for people."""

    record_id: int
    score: float
    reasons: tuple[str, ...]


_EVIDENCE: Mapping[str, tuple[Evidence, ...]] = MappingProxyType(
    {
        "vendor": (
            Evidence("name", 6, fuzzy=True),
            Evidence("number", 2),
            Evidence("tax_number", 5),
            Evidence("contact.email", 3),
            Evidence("contact.phone", 3),
            Evidence("address.postal_code", 2),
            Evidence("address.city", 1, fuzzy=True),
            Evidence("address.line1", 1, fuzzy=True),
        ),
        "item": (
            Evidence("name", 6, fuzzy=True),
            Evidence("number", 4),
            Evidence("barcode", 5),
            Evidence("category", 1),
            Evidence("base_unit", 1),
        ),
    }
)
_ANY = (Evidence("name", 5, fuzzy=True), Evidence("number", 4), Evidence("code", 4), Evidence("key", 4))


def candidates(entity: str, left: Mapping[int, State], right: Mapping[int, State]) -> dict[int, tuple[Candidate, ...]]:
    """For each record of the left its candidates of the right, best first. Records without any are left out.

    Only pairs that share a telling word or value are compared: the effort grows with what is alike, not with the
    product of both sides.
    """
    evidence = _EVIDENCE.get(entity, _ANY)
    known = {one: _facts(evidence, state) for one, state in right.items()}
    index = _Index(evidence, known)
    found: dict[int, tuple[Candidate, ...]] = {}
    for one, state in left.items():
        mine = _facts(evidence, state)
        scored = [_compare(evidence, mine, known[other], other) for other in index.alike(mine)]
        worth = sorted((c for c in scored if c.score >= WORTH_A_LOOK), key=lambda c: (-c.score, c.record_id))
        if worth:
            found[one] = tuple(worth[:MOST_CANDIDATES])
    return found


Facts = Mapping[str, str]


def _facts(evidence: Sequence[Evidence], state: State) -> Facts:
    """What a record tells, in the form it is compared in; fields it does not tell are missing."""
    facts = {}
    for one in evidence:
        text = words(_value(state, one.path)) if one.fuzzy else signs(_value(state, one.path))
        if text:
            facts[one.path] = text
    return facts


def _value(state: State, path: str) -> str:
    value: object = state
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return str(value) if value not in (None, "") else ""


def words(text: str) -> str:
    """Words without case, accents, punctuation and legal forms; all of them where nothing else is left."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_SPELT_OUT)).casefold()
    found = re.findall(r"[^\W_]+", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    telling = [word for word in found if word not in _FILLERS]
    return " ".join(telling or found)


def signs(text: str) -> str:
    """Letters and digits only: numbers are written with all kinds of separators. Leading zeros say nothing."""
    return "".join(letter for letter in text.casefold() if letter.isalnum()).lstrip("0")


class _Index:
    """Finds records that share something telling."""

    def __init__(self, evidence: Sequence[Evidence], known: Mapping[int, Facts]) -> None:
        self._evidence = evidence
        self._by_key: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one, facts in known.items():
            for key in self._keys(facts):
                self._by_key[key].append(one)
        self._most = max(_FEW, int(len(known) * _COMMON))

    def _keys(self, facts: Facts) -> Iterable[tuple[str, str]]:
        for one in self._evidence:
            value = facts.get(one.path)
            if value is None:
                continue
            yield one.path, value
            if one.fuzzy:
                for word in value.split():
                    yield one.path, word
                    yield f"{one.path}~", word[:4]

    def alike(self, facts: Facts) -> set[int]:
        found: set[int] = set()
        for key in self._keys(facts):
            members = self._by_key.get(key, ())
            if len(members) <= self._most:
                found.update(members)
        return found


def _compare(evidence: Sequence[Evidence], mine: Facts, theirs: Facts, record_id: int) -> Candidate:
    """The weighed likeness of all that both tell; what only one side tells counts a little against it."""
    total = weight = 0.0
    reasons = []
    for one in evidence:
        a, b = mine.get(one.path), theirs.get(one.path)
        if a is None or b is None:
            continue
        likeness = fuzz.WRatio(a, b) if one.fuzzy else (100.0 if a == b else 0.0)
        certain = one.path in _OWN_NUMBERS
        if certain and likeness < 100:
            continue  # two systems number the same thing differently: that says nothing
        total += one.weight * likeness
        weight += one.weight
        if likeness == 100:
            reasons.append(f"{one.path} equal")
        elif likeness >= WORTH_A_LOOK:
            reasons.append(f"{one.path} {likeness:.0f} % alike")
    return Candidate(record_id, round(total / weight, 1) if weight else 0.0, tuple(reasons))


_OWN_NUMBERS = frozenset({"number", "code", "key"})
