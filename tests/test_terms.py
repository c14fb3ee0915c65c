"""From codes and words to concepts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.content import Library


@pytest.mark.parametrize(
    ("kind", "text", "concepts"),
    [
        ("medicine", "aripiprazole 5 mg", {}),
        ("medicine", "esomeprazole 40 mg", {"ppi": False}),
        ("medicine", "阿立哌唑片", {}),
        ("medicine", "艾司奥美拉唑镁肠溶片", {"ppi": False}),
        ("condition", "慢性非萎缩性胃炎", {"chronic_gastritis": False}),
        ("condition", "慢性萎缩性胃炎", {"atrophic_gastritis": False}),
        ("condition", "Non-atrophic gastritis", {"chronic_gastritis": False}),
        ("condition", "Family history of osteoporosis", {"osteoporosis": True}),
        ("condition", "No evidence of osteoporosis", {"osteoporosis": True}),
        ("condition", "恶性贫血待查", {"pernicious_anaemia": True}),
        ("condition", "疑似恶性贫血", {"pernicious_anaemia": True}),
        ("condition", "Pernicious anemia?", {"pernicious_anaemia": True}),
        ("condition", "? pernicious anaemia", {"pernicious_anaemia": True}),
        ("condition", "Possible celiac disease; osteoporosis", {"malabsorption": True, "osteoporosis": False}),
        ("observation", "Vitamin B12 binding capacity", {}),
        ("observation", "Active B12", {"b12_active": False}),
        ("observation", "vitamin b12 ", {"b12_total": False}),
        ("observation", "Vitamin B12 & Folate", {}),
        ("observation", "活性维生素B12", {"b12_active": False}),
        ("observation", "HbA1c", {}),
    ],
)
def test_words(library: Library, kind: str, text: str, concepts: dict[str, bool]) -> None:
    assert library.terms[kind].of_text(text) == concepts


@pytest.mark.parametrize(
    ("kind", "uri", "code", "concepts"),
    [
        ("condition", "http://hl7.org/fhir/sid/icd-10-cm", "M80.08XA", {"osteoporosis", "fragility_fracture"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10", "D51.000x001", {"pernicious_anaemia"}),
        ("condition", "urn:oid:2.16.840.1.113883.6.90", "D51.0", {"pernicious_anaemia"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10", "E53.801+G32.0*", {"neuro_major"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10", "K50.1", set()),
        ("condition", "http://snomed.info/sct", "84027009", {"pernicious_anaemia"}),
        ("condition", "http://example.org/local", "84027009", set()),
        ("medicine", "http://www.whocc.no/atc", "A02BC01", {"ppi"}),
        ("medicine", "http://www.whocc.no/atc", "A02BD05", {"helicobacter_eradication"}),
        ("observation", "http://loinc.org", "2171-7", set()),
    ],
)
def test_codes(library: Library, kind: str, uri: str, code: str, concepts: set[str]) -> None:
    assert {name for name, _ in library.terms[kind].of_code(uri, code)} == concepts


@given(text=st.text(max_size=80))
def test_any_text_can_be_asked(library: Library, text: str) -> None:
    for terms in library.terms.values():
        terms.of_text(text)
