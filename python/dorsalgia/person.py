"""One person: dict in, assessment out."""

from __future__ import annotations

import ctypes
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dorsalgia import _abi

Profile = Literal["uk", "us"]


@dataclass(frozen=True)
class Reason:
    """What one answer does to the odds, in decibans (+3 doubles): put back alone, all others kept."""

    what: str
    finding: str | None
    tumour_decibans: float | None
    emergency_decibans: float | None


@dataclass(frozen=True)
class Question:
    """What to ask or test next, and what each answer would make of the probabilities."""

    finding: str
    name: str
    ask: str
    burden: str
    tumour_bits: float
    emergency_bits: float
    outcomes: tuple[Mapping[str, Any], ...]  # answer, probability, tumour, emergency


def _report(person: Mapping[str, Any], format: str, profile: str, voice: str = "clinician", width: int = 100) -> str:
    if not isinstance(person, Mapping):
        raise _abi.BadInput(f"a person is a dict, this is {type(person).__name__}; assess_table takes tables")
    try:
        text = json.dumps(person, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise _abi.BadInput(f"the person cannot be written as JSON: {error}") from None
    options = _abi.ReportOptions(
        size=ctypes.sizeof(_abi.ReportOptions),
        format=format.encode(),
        profile=profile.encode(),
        voice=voice.encode(),
        width=width,
    )
    out = ctypes.c_void_p()
    _abi.call("assess", _abi.model(), text, len(text), ctypes.byref(options), ctypes.byref(out))
    try:
        assert out.value is not None
        return ctypes.string_at(out.value).decode()
    finally:
        _abi.library.dorsalgia_free_text(out)


class Assessment:
    """Everything that is said about one person. `json` holds it all, as docs/report.schema.json describes it."""

    def __init__(self, person: Mapping[str, Any], profile: Profile = "uk") -> None:
        self._person = json.loads(json.dumps(person)) if isinstance(person, Mapping) else person
        self._profile = profile
        self.json: dict[str, Any] = json.loads(_report(person, "json", profile))

    @property
    def urgency(self) -> str:
        """"emergency", "urgent", "soon" or "routine", by guideline rules and thresholds."""
        return str(self.json["urgency"]["level"])

    @property
    def action(self) -> str | None:
        return self.json["urgency"]["action"]  # type: ignore[no-any-return]

    @property
    def withheld(self) -> str | None:
        """Why there are no probabilities: a child, or answers that exclude each other. None: there are."""
        return self.json["withheld"]  # type: ignore[no-any-return]

    @property
    def tumour(self) -> float | None:
        """Probability that a tumour causes the pain."""
        return self.json["probability"]["tumour"]  # type: ignore[no-any-return]

    @property
    def malignant(self) -> float | None:
        return self.json["probability"]["malignant"]  # type: ignore[no-any-return]

    @property
    def emergency(self) -> float | None:
        """Probability of pressure on cord or cauda, or of a cause that is dangerous whatever its stage."""
        return self.json["probability"]["emergency"]  # type: ignore[no-any-return]

    @property
    def interval(self) -> tuple[float, float] | None:
        """95% interval of `tumour`, over what is not known of the model's numbers."""
        intervals = self.json["probability"]["interval"]
        return None if intervals is None else (intervals["tumour"][0], intervals["tumour"][1])

    @property
    def causes(self) -> dict[str, float]:
        """Probability of each cause by its id, the most likely first."""
        return {cause["id"]: cause["probability"] for cause in self.json["causes"]}

    @property
    def reasons(self) -> list[Reason]:
        return [
            Reason(r["what"], r["finding"], r["tumour_decibans"], r["emergency_decibans"]) for r in self.json["reasons"]
        ]

    @property
    def next_questions(self) -> list[Question]:
        return [
            Question(
                q["finding"],
                q["name"],
                q["ask"]["clinician"],
                q["burden"],
                q["tumour_bits"],
                q["emergency_bits"],
                tuple(q["outcomes"]),
            )
            for q in self.json["next"]
        ]

    def text(self, voice: Literal["clinician", "person"] = "clinician", width: int = 100) -> str:
        """The report as a terminal shows it."""
        return _report(self._person, "text", self._profile, voice, width)

    def html(self, voice: Literal["clinician", "person"] = "clinician") -> str:
        """The report as one page that prints well and fetches nothing."""
        return _report(self._person, "html", self._profile, voice)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        lines = [f"Assessment: {self.json['urgency']['phrase']} ({self.urgency})"]
        lines += [f"  {rule['name']}" for rule in self.json["urgency"]["rules"][:3]]
        if self.withheld:
            lines.append(f"  no probabilities: {self.withheld}")
        else:
            low, high = self.interval or (0.0, 1.0)
            lines.append(
                f"  tumour {self.tumour:.2g} (95% {low:.2g} to {high:.2g}), malignant {self.malignant:.2g}, "
                f"emergency {self.emergency:.2g}"
            )
            lines += [f"  {p:.2g} {cause}" for cause, p in list(self.causes.items())[:3]]
        missing = [item["id"] for item in self.json["not_assessed"]]
        if missing:
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            lines.append(f"  not assessed: {', '.join(missing[:5])}{more}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # A page of its own: its styles must not reach the notebook's, nor the other way round.
        page = html.escape(self.html(), quote=True)
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 640px; border: 0"></iframe>'


def assess(person: Mapping[str, Any], *, profile: Profile = "uk") -> Assessment:
    """How urgent, how likely a tumour, why, and what to ask next: for one person, as docs/input.md describes them.

    Raises BadInput with every fault of the person, one a line.
    """
    return Assessment(person, profile)


def explain(person: Mapping[str, Any], *, profile: Profile = "uk") -> list[Reason]:
    """What pushed the probabilities up and down, the largest push first."""
    return Assessment(person, profile).reasons


def next_questions(person: Mapping[str, Any], *, profile: Profile = "uk") -> list[Question]:
    """What would tell most for its burden, the best first."""
    return Assessment(person, profile).next_questions
