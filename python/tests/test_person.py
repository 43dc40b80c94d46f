"""One person: the report is that of the program, faults are exceptions."""

import threading

import pytest

import dorsalgia

PERSON = {
    "age": 55,
    "sex": "female",
    "location": "lumbar",
    "context": {"cancer_history": "breast"},
    "findings": {"progressive_pain": "present"},
}


def test_assessment():
    a = dorsalgia.assess(PERSON)
    assert a.urgency == "urgent"
    assert a.withheld is None
    low, high = a.interval
    assert 0 < low < a.tumour < high < 1
    assert a.malignant <= a.tumour
    assert abs(sum(a.causes.values()) - 1) < 1e-9
    assert list(a.causes.values()) == sorted(a.causes.values(), reverse=True)
    assert a.json["model"]["hash"] == dorsalgia.model_hash()
    assert repr(a).startswith("Assessment: within days (urgent)")
    assert "WITHIN DAYS" in str(a)
    assert "<iframe srcdoc=" in a._repr_html_() and "<script" not in a.html()
    assert a.text("person") != a.text("clinician")


def test_reasons_and_questions():
    reasons = dorsalgia.explain(PERSON)
    assert reasons[0].finding == "history_breast" and reasons[0].tumour_decibans > 3
    questions = dorsalgia.next_questions(PERSON)
    assert all(abs(sum(o["probability"] for o in q.outcomes) - 1) < 1e-6 for q in questions)


def test_a_child_has_no_probability():
    a = dorsalgia.assess({"age": 9, "findings": {"night_pain": "present"}})
    assert a.tumour is None and a.withheld.startswith("Under 18")
    assert "no probabilities" in repr(a)


def test_faults_are_all_told():
    with pytest.raises(dorsalgia.BadInput) as caught:
        dorsalgia.assess({"age": 212, "findings": {"fevre": "present"}})
    assert "212 years is not an age" in str(caught.value) and "did you mean 'fever'?" in str(caught.value)
    with pytest.raises(ValueError, match="a person is a dict, this is list"):
        dorsalgia.assess([PERSON])
    with pytest.raises(dorsalgia.BadInput, match="cannot be written as JSON"):
        dorsalgia.assess({"age": float("nan")})
    with pytest.raises(dorsalgia.BadInput, match="profile"):
        dorsalgia.assess(PERSON, profile="fr")


def test_threads_share_the_model():
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(dorsalgia.assess(PERSON).json)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(seen) == 4 and all(s == seen[0] for s in seen)
