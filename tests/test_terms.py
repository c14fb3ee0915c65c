"""From codes and words to concepts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.content import Library
from cds.terms import Said


DENIED, DOUBTED, STATED = Said


@pytest.mark.parametrize(
    ("kind", "text", "concepts"),
    [
        ("medicine", "aripiprazole 5 mg", {}),
        ("medicine", "esomeprazole 40 mg", {"ppi": STATED}),
        ("medicine", "阿立哌唑片", {}),
        ("medicine", "艾司奥美拉唑镁肠溶片", {"ppi": STATED}),
        ("condition", "慢性非萎缩性胃炎", {"chronic_gastritis": STATED}),
        ("condition", "慢性萎缩性胃炎", {"atrophic_gastritis": STATED}),
        ("condition", "Non-atrophic gastritis", {"chronic_gastritis": STATED}),
        ("condition", "Family history of osteoporosis", {"osteoporosis": DENIED}),
        ("condition", "No evidence of osteoporosis", {"osteoporosis": DENIED}),
        ("condition", "恶性贫血待查", {"pernicious_anaemia": DOUBTED}),
        ("condition", "疑似恶性贫血", {"pernicious_anaemia": DOUBTED}),
        ("condition", "Pernicious anemia?", {"pernicious_anaemia": DOUBTED}),
        ("condition", "? pernicious anaemia", {"pernicious_anaemia": DOUBTED}),
        ("condition", "Possible celiac disease; osteoporosis", {"malabsorption": True, "osteoporosis": STATED}),
        ("observation", "Vitamin B12 binding capacity", {}),
        ("observation", "Active B12", {"b12_active": STATED}),
        ("observation", "vitamin b12 ", {"b12_total": STATED}),
        ("observation", "Vitamin B12 & Folate", {}),
        ("observation", "活性维生素B12", {"b12_active": STATED}),
        ("observation", "HbA1c", {}),
    ],
)
def test_words(library: Library, kind: str, text: str, concepts: dict[str, Said]) -> None:
    assert library.terms[kind].of_text(text) == concepts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Pernicious anaemia", STATED),
        ("Pernicious anaemia with negative gastric parietal cell antibodies", STATED),
        ("H. pylori-negative autoimmune gastritis", STATED),
        ("History of pernicious anaemia", STATED),
        ("No change in pernicious anaemia", STATED),
        ("Pernicious anaemia screen positive", STATED),
        ("Rule out pernicious anaemia", DOUBTED),
        ("r/o pernicious anaemia", DOUBTED),
        ("Query pernicious anaemia", DOUBTED),
        ("Cannot exclude pernicious anaemia", DOUBTED),
        ("Pernicious anaemia not excluded", DOUBTED),
        ("Pernicious anaemia to be excluded", DOUBTED),
        ("Pernicious anaemia (?)", DOUBTED),
        ("Pernicious anaemia not confirmed", DOUBTED),
        ("不能排除恶性贫血", DOUBTED),
        ("恶性贫血待排除", DOUBTED),
        ("恶性贫血可能", DOUBTED),
        ("No suspected pernicious anaemia", DENIED),
        ("Suspected pernicious anaemia ruled out", DENIED),
        ("Pernicious anaemia ruled out", DENIED),
        ("Pernicious anaemia excluded", DENIED),
        ("Pernicious anaemia has been excluded", DENIED),
        ("Pernicious anaemia screen negative", DENIED),
        ("Pernicious anaemia (screening negative)", DENIED),
        ("Pernicious anaemia screen", DENIED),
        ("Pernicious anaemia very unlikely", DENIED),
        ("Mother with pernicious anaemia", DENIED),
        ("Sister's pernicious anaemia", DENIED),
        ("Pernicious anaemia in her father", DENIED),
        ("Pernicious anaemia - family history", DENIED),
        ("恶性贫血家族史", DENIED),
        ("恶性贫血 家族史", DENIED),
        ("母亲患恶性贫血", DENIED),
        ("未见恶性贫血", DENIED),
        ("恶性贫血已排除", DENIED),
        ("不可能恶性贫血", DENIED),
        ("No anaemia, pernicious anaemia 2011", STATED),
    ],
)
def test_how_it_is_said(library: Library, text: str, said: Said) -> None:
    assert library.terms["condition"].of_text(text)["pernicious_anaemia"] is said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("妊娠26周，既往剖宫产史", STATED),
        ("妊娠合并剖宫产史", STATED),
        ("早孕 孕酮低", STATED),
        ("孕26周", STATED),
        ("Pregnancy; preeclampsia prevention", STATED),
        ("Prevention of preeclampsia in pregnancy", STATED),
        ("Pregnancy with history of infertility", STATED),
        ("Previous cesarean delivery affecting pregnancy", STATED),
        ("History of thrombosis affecting current pregnancy", STATED),
        ("Gestation period, 20 weeks", STATED),
        ("Breast-feeding mother", STATED),
        ("Breastfeeding (mother)", STATED),
        ("Mother currently breast-feeding", STATED),
        ("Lactation", STATED),
        ("Lactating", STATED),
        ("Possible pregnancy", DOUBTED),
        ("Not pregnant", DENIED),
        ("Pregnancy test negative", DENIED),
        ("Pregnancy prevention", DENIED),
        ("History of ectopic pregnancy", DENIED),
        ("Previous pregnancy", DENIED),
        ("Personal history of other complications of pregnancy, childbirth and the puerperium", DENIED),
        ("妊娠糖尿病史", DENIED),
        ("既往妊娠3次", DENIED),
        ("History of pre-eclampsia", None),
        ("孕激素治疗中", None),
        ("避孕", None),
        ("不孕症", None),
    ],
)
def test_pregnancy_now_and_then(library: Library, text: str, said: Said | None) -> None:
    assert library.terms["condition"].of_text(text).get("pregnancy") is said


@pytest.mark.parametrize(
    ("kind", "text", "concepts"),
    [
        ("procedure", "Gastrectomy", {"partial_gastrectomy"}),
        ("procedure", "Sub-total gastrectomy", {"partial_gastrectomy"}),
        ("procedure", "远端次全胃切除术", {"partial_gastrectomy"}),
        ("procedure", "Whipple procedure", {"partial_gastrectomy"}),
        ("procedure", "Total gastrectomy", {"total_gastrectomy"}),
        ("procedure", "根治性全胃切除术", {"total_gastrectomy"}),
        ("procedure", "Laparoscopic gastric sleeve", {"bariatric_surgery"}),
        ("procedure", "Roux-en-Y (RYGB)", {"bariatric_surgery"}),
        ("procedure", "Bariatric surgery consultation", set()),
        ("procedure", "Bariatric surgery (gastric banding)", set()),
        ("procedure", "Gastric banding 2010, converted to gastric bypass", {"bariatric_surgery"}),
        ("condition", "次全胃切除术后", {"gastric_surgery_status"}),
        ("condition", "Bariatric surgery candidate", set()),
        ("condition", "Planned bariatric surgery", set()),
        ("condition", "Gastric banding", set()),
        ("condition", "Crohn's disease with small bowel involvement", {"ileal_disease"}),
        ("condition", "克罗恩病", {"ileal_disease"}),
        ("condition", "回结肠克罗恩病", {"ileal_disease"}),
        ("condition", "结肠克罗恩病", set()),
        ("condition", "Crohn's disease of colon", set()),
        ("condition", "Gait ataxia", {"neuro_major"}),
        ("condition", "Friedreich ataxia", set()),
        ("condition", "Muscle pain", {"muscle_pain"}),
        ("condition", "Polymyalgia rheumatica", set()),
        ("condition", "无明显诱因双下肢麻木", {"neuro_minor"}),
        ("condition", "cblC deficiency", {"inborn_cobalamin_error"}),
        ("condition", "Methylmalonic acidaemia", {"inborn_cobalamin_error"}),
        ("allergy", "Vitamin B complex (Neurobion)", {"cobalamin"}),
        ("medicine", "磺达肝癸钠注射液", {"anticoagulant"}),
        ("medicine", "phenprocoumon 3 mg", {"anticoagulant"}),
        ("answer", "Antibody none present", {"negative"}),
        ("answer", "Positive screen", {"positive"}),
        ("route", "cyanocobalamin 1000 mcg/mL vial", {"intramuscular"}),
        ("route", "弥可保针剂", {"intramuscular"}),
        ("route", "vitamin B12 oral ampoules", {"oral"}),
    ],
)
def test_names(library: Library, kind: str, text: str, concepts: set[str]) -> None:
    assert {concept for concept, said in library.terms[kind].of_text(text).items() if said is STATED} == concepts


@pytest.mark.parametrize(
    ("kind", "uri", "code", "concepts"),
    [
        ("condition", "http://hl7.org/fhir/sid/icd-10-cm", "M80.08XA", {"osteoporosis", "fragility_fracture"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10", "D51.000x001", {"pernicious_anaemia", "b12_deficiency"}),
        ("condition", "urn:oid:2.16.840.1.113883.6.90", "D51.0", {"pernicious_anaemia", "b12_deficiency"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10", "E53.801+G32.0*", {"neuro_major"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10", "K50.1", set()),
        ("condition", "http://hl7.org/fhir/sid/icd-10-cm", "K86.0", {"malabsorption"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10-cm", "K95.01", set()),
        ("condition", "http://hl7.org/fhir/sid/icd-10-cm", "O99.012", {"pregnancy"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10-cm", "Z3A.20", {"pregnancy"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10", "O99.0", {"pregnancy"}),
        ("condition", "http://hl7.org/fhir/sid/icd-10", "O03.9", set()),
        ("condition", "http://snomed.info/sct", "11282001", {"inborn_cobalamin_error"}),
        ("condition", "http://snomed.info/sct", "68962001", {"muscle_pain"}),
        ("condition", "http://snomed.info/sct", "84027009", {"pernicious_anaemia"}),
        ("condition", "http://example.org/local", "84027009", set()),
        ("medicine", "http://www.whocc.no/atc", "A02BC01", {"ppi"}),
        ("medicine", "http://www.whocc.no/atc", "B01AX05", {"anticoagulant"}),
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


@pytest.mark.parametrize(
    ("kind", "concept", "text", "said"),
    [
        ("condition", "neuro_major", "双下肢无力伴共济失调", STATED),
        ("condition", "neuro_major", "麻木无力 亚急性联合变性", STATED),
        ("condition", "neuro_major", "无外伤后出现共济失调", STATED),
        ("condition", "neuro_major", "无法排除脊髓亚急性联合变性", DOUBTED),
        ("condition", "neuro_major", "无恶性贫血及共济失调", DENIED),
        ("condition", "neuro_major", "No improvement of myelopathy", STATED),
        ("condition", "neuro_major", "Weakness without pain and myelopathy", STATED),
        ("condition", "neuro_major", "No numbness or ataxia", DENIED),
        ("condition", "neuro_major", "Myelopathy, ruled out", DENIED),
        ("condition", "neuro_minor", "No peripheral neuropathy", DENIED),
        ("condition", "neuro_major", "Denies numbness, burning feet, ataxia", DENIED),
        ("condition", "neuro_major", "否认头晕、共济失调", DENIED),
        ("condition", "neuro_major", "无糖尿病、亚急性联合变性", DENIED),
        ("condition", "pernicious_anaemia", "无高血压、糖尿病、恶性贫血病史", DENIED),
        ("condition", "pernicious_anaemia", "No diabetes, pernicious anaemia diagnosed 2010", STATED),
        ("condition", "pernicious_anaemia", "Denies pain, has pernicious anaemia", STATED),
        ("condition", "pernicious_anaemia", "否认高血压，确诊恶性贫血", STATED),
        ("condition", "pernicious_anaemia", "Pernicious anaemia: no", DENIED),
        ("condition", "neuro_minor", "无手足麻木", DENIED),
        ("condition", "pregnancy", "Mother is breastfeeding infant", STATED),
        ("condition", "pregnancy", "Nausea without vomiting of pregnancy", STATED),
        ("condition", "pregnancy", "无痛宫内妊娠", STATED),
        ("condition", "pernicious_anaemia", "Pernicious anaemia, family history", DENIED),
        ("condition", "pernicious_anaemia", "Pernicious anaemia (mother)", DENIED),
        ("condition", "pernicious_anaemia", "女儿患恶性贫血", DENIED),
        ("condition", "pernicious_anaemia", "恶性贫血,已排除", DENIED),
        ("condition", "pernicious_anaemia", "Screened for pernicious anaemia", DOUBTED),
        ("procedure", "total_gastrectomy", "Total gastrectomy, not done", DENIED),
        ("procedure", "total_gastrectomy", "拒绝全胃切除", DENIED),
        ("procedure", "total_gastrectomy", "No recurrence after total gastrectomy", STATED),
    ],
)
def test_a_denial_reaches_as_far_as_it_is_meant(library: Library, kind: str, concept: str, text: str, said: Said) -> None:
    assert library.terms[kind].of_text(text)[concept] is said
