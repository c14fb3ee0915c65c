"""What a pharmacist would work out: a product and its directions, and the ug of B12 in one dose and in a day, or unknown (None).

Every row goes through the reader as an order written on the day in `written` (300 days ago unless said otherwise). A month counts 30 days.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cds.chart import Medicine
from cds.dose import dose_ug, nutrient_ug_at_least, nutrient_ug_per_day
from cds.library import load
from tests.hooks.test_reader import chart, medicine, ordered
from tests.patients import TODAY


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
TABLET, AMPOULE, SOLUTION = "cyanocobalamin 1000 mcg tablet", "维生素B12注射液 1ml:0.5mg", "cyanocobalamin 1,000 mcg/mL injection"
B12, MECOBALAMIN = "vitamin B12", "甲钴胺片 0.5mg×20片"
DAY, WEEK, MONTH = 1, 1 / 7, 1 / 30


def taken(product: Any, *lines: Any, days: int | None = 300) -> Medicine:
    """The medicine of an order: a product by name or concept, its lines in words or structure."""
    concept = {"text": product} if isinstance(product, str) else product
    written = {} if days is None else {"authoredOn": (TODAY - timedelta(days)).isoformat()}
    dosage = [{"text": line} if isinstance(line, str) else line for line in lines]
    order = {**ordered(medicationCodeableConcept=concept, dosageInstruction=dosage), "authoredOn": None, **written}
    (found,) = (record for name in ("b12", "b12_combination") for record in chart(order).records.get(name, ()))
    assert isinstance(found, Medicine)
    return found


def check(found: Medicine, dose: float | None, per_day: float | None) -> None:
    doses = [dose_ug(found, dosage, "b12") for dosage in found.dosages]
    assert doses == [None if dose is None else pytest.approx(dose)] * len(doses)
    assert nutrient_ug_per_day(found, "b12") == (None if per_day is None else pytest.approx(per_day))


ENGLISH = [
    (B12, "1000 mcg daily", 1000, 1000),
    (B12, "1,000 mcg once daily by mouth", 1000, 1000),
    (B12, "1 000 mcg daily", 1000, 1000),
    (B12, "1000 µg daily", 1000, 1000),  # U+00B5
    (B12, "1000 μg daily", 1000, 1000),  # U+03BC
    (B12, "1 mg daily", 1000, 1000),
    (B12, "0,5 mg daily", 500, 500),
    (B12, "0,500 mg daily", 500, 500),
    (B12, "1 mg IM monthly", 1000, 1000 * MONTH),
    (B12, "1 mg IM 3 monthly", 1000, 1000 / 90),
    (B12, "1 mg IM 12-weekly", 1000, 1000 / 84),
    (B12, "1000 mcg subcut q28d", 1000, 1000 / 28),
    (B12, "1 mg every 2-3 months", 1000, 1000 / 60),
    (B12, "1 mg every third day", 1000, 1000 / 3),
    (B12, "1 mg every other week", 1000, 1000 / 14),
    (B12, "1 mg twice-weekly", 1000, 2000 * WEEK),
    (B12, "500-1000 mcg daily", 1000, 1000),
    (B12, "500 mcg to 1000 mcg daily", 1000, 1000),
    (B12, "2 x 500 mcg daily", 1000, 1000),
    (B12, "take two 500 mcg tablets daily", 1000, 1000),
    (B12, "2 tablets (500 mcg each) twice a day", 1000, 2000),
    (B12, "2 tablets of 500 mcg daily", 1000, 1000),
    (B12, "Take 2 tablets (1,000 mcg total) by mouth 2 (two) times daily.", 1000, 2000),
    (B12, "1,000 mcg = 1 mL, IM, qMonth, # 10 mL, 0 Refill(s)", 1000, 1000 * MONTH),
    (B12, "1500 mcg daily in 3 divided doses", 1500, 1500),
    (TABLET, "Take 1 tablet by mouth 1 (one) time each day.", 1000, 1000),
    (TABLET, "TAKE 1 TABLET BY MOUTH EVERY DAY", 1000, 1000),
    (TABLET, "1 tab, Oral, Daily, # 30 tab, 0 Refill(s)", 1000, 1000),
    (TABLET, "1 tablet every morning and evening", 1000, 2000),
    (TABLET, "1 tablet 8am and 8pm", 1000, 2000),
    (TABLET, "1 tablet 08:00, 20:00", 1000, 2000),
    (TABLET, "1 tablet with meals", 1000, 3000),
    (TABLET, "1 tablet twice daily with meals", 1000, 2000),
    (TABLET, "1 tablet 5 days a week", 1000, 5000 * WEEK),
    (TABLET, "1-0-1 tablets", 1000, 2000),
    (TABLET, "2-0-1 tablets", 2000, 3000),
    (TABLET, "1 tablet mane", 1000, 1000),
    (TABLET, "1 tablet in the morning and in the afternoon", 1000, 2000),
    (TABLET, "1 tablet before bed", 1000, 1000),
    (TABLET, "I am taking 1 tablet", 1000, None),
    (TABLET, "1 tablet qam and qhs", 1000, 2000),
    (TABLET, "1 tablet once a fortnight", 1000, 1000 / 14),
    (TABLET, "1 tablet mon, wed, fri", 1000, 3000 * WEEK),
    (TABLET, "1 tablet Monday to Friday", 1000, 5000 * WEEK),
    (TABLET, "half a tablet twice a day", 500, 1000),
    (TABLET, "½ tablet daily", 500, 500),
    (TABLET, "1½ tablets daily", 1500, 1500),
    (TABLET, "1 ½ tablets daily", 1500, 1500),
    (TABLET, "1 1/2 tablets daily", 1500, 1500),
    (TABLET, "1-2 tablets daily", 2000, 2000),
    (TABLET, "one or two tablets daily as needed", 2000, 2000),
    (TABLET, "1 tablet q4-6h prn", 1000, 6000),
    (TABLET, "1 tablet q6h prn, max 2 tablets per day", 1000, 2000),
    (TABLET, "1 tablet prn, no more than 3 tabs in 24 hours", 1000, 3000),
    (TABLET, "1 tablet daily for 30 days", 1000, 1000),
    (TABLET, "1 tablet (1000 mcg) daily", 1000, 1000),
    (TABLET, "1000 mcg = 1 tablet daily", 1000, 1000),
    (SOLUTION, "1 mL every 4 weeks", 1000, 1000 / 28),
    (SOLUTION, "inject 0.5 mL (500 mcg) weekly", 500, 500 * WEEK),
    ("hydroxocobalamin 1mg/1ml solution for injection ampoules", "1 amp IM every 12 weeks", 1000, 1000 / 84),
    ("hydroxocobalamin 1 mg ampoule", "1 injection every 3 months", 1000, 1000 / 90),
    ("10 ML vitamin B12 1 MG/ML Injection", "1 mL monthly", 1000, 1000 * MONTH),
    ("vitamin B12 0.5 MG/ACTUAT Nasal Spray", "1 spray in one nostril weekly", 500, 500 * WEEK),
    ("vitamin B12 0.5 MG/ACTUAT Nasal Spray", "1 spray in each nostril weekly", 1000, 1000 * WEEK),
    ("mecobalamin 0.6 MG / vitamin B12 0.6 MG Sublingual Tablet", "1 tablet daily", 1200, 1200),
]
UNKNOWN = [
    (B12, "as directed", None, None),
    (B12, "1000 IU daily", None, None),
    (B12, "1 tablet daily", None, None),
    (B12, "1 dose daily", None, None),
    (B12, ".5 mg daily", None, None),
    (B12, "1,0000 mg daily", None, None),
    (B12, "2 500 mcg tablets daily", None, None),
    (B12, "10 mcg/kg daily", None, None),
    (B12, "500 mcg or 1000 mcg daily", None, None),
    (B12, "500 mcg one day and 1000 mcg the next", None, None),
    (B12, "2 tablets (500 mcg) daily", None, None),
    (B12, "Take 1,000 mcg by mouth daily (Patient taking differently: Take 500 mcg by mouth daily)", None, None),
    (TABLET, "0-0-0 tablets", None, None),
    (B12, "1 mg bi-weekly", 1000, None),
    (B12, "1 mg bimonthly", 1000, None),
    (B12, "1 mg stat", 1000, None),
    (B12, "1 mg every 0 days", 1000, None),
    (TABLET, "1 tablet prn", 1000, None),
    (TABLET, "1 tablet q6h prn, max 0 tablets per day", 1000, 4000),
    (TABLET, "0 tablets daily", None, None),
    (TABLET, "1 tablet for 7 days", 1000, None),
    (TABLET, "take 2 a day", None, None),
    (TABLET, "1 tablet in the morning and 2 at night", None, None),
    (TABLET, "1 tablet daily in the morning and at bedtime", 1000, None),
    (TABLET, "1 tablet (500 mcg) daily", None, None),
    (SOLUTION, "1 amp weekly", None, None),
    (SOLUTION, "1 tablet weekly", None, None),
    ("vitamin B12 500 mcg or 1000 mcg", "1 tablet daily", None, None),
]
CHINESE = [
    (B12, "0.5mg tid 口服", 500, 1500),
    (B12, "甲钴胺片 0.5mg×20片 1片 每日三次", 500, 1500),
    (B12, "０．５ｍｇ　每日３次", 500, 1500),
    (B12, "500微克 每天一次", 500, 500),
    (B12, "0.5毫克 隔日一次", 500, 250),
    (B12, "0.5mg/次，3次/日", 500, 1500),
    (B12, "1.5mg/日 分3次口服", 1500, 1500),
    (B12, "一日0.5-1.5mg，分1-3次口服", 1500, 1500),
    (B12, "每片0.5mg 每次2片 每日3次", 1000, 3000),
    (B12, "0.5mg(1支) 肌注 qod", 500, 250),
    (B12, "1mg 肌注 每3个月一次", 1000, 1000 / 90),
    (B12, "1mg 3个月1次", 1000, 1000 / 90),
    (B12, "1mg 每半年一次", 1000, 1000 / 182.5),
    (B12, "1mg 隔周一次", 1000, 1000 / 14),
    (B12, "每日三次", None, None),
    (B12, "遵医嘱", None, None),
    (MECOBALAMIN, "两片 每日一次", 1000, 1000),
    (MECOBALAMIN, "每次1片 一日三次", 500, 1500),
    (MECOBALAMIN, "一次1片,一日3次", 500, 1500),
    (MECOBALAMIN, "日服3次,每次1片", 500, 1500),
    (MECOBALAMIN, "每日2～3次，每次1～2片", 1000, 3000),
    (MECOBALAMIN, "1或2片 每日1次", 1000, 1000),
    (MECOBALAMIN, "每次一片半 一日两次", 750, 1500),
    (MECOBALAMIN, "半片 qn", 250, 250),
    (MECOBALAMIN, "每日2片", 1000, 1000),
    (MECOBALAMIN, "早晚各1片", 500, 1000),
    (MECOBALAMIN, "早中晚各一片", 500, 1500),
    (MECOBALAMIN, "上午1片 下午1片", 500, 1000),
    (MECOBALAMIN, "早1片 中1片 晚1片", 500, 1500),
    (MECOBALAMIN, "早2片晚1片", None, None),
    (MECOBALAMIN, "1片bid", 500, 1000),
    (MECOBALAMIN, "每8小时1片", 500, 1500),
    (MECOBALAMIN, "每隔一天1片", 500, 250),
    (MECOBALAMIN, "1片 周一、三、五", 500, 1500 * WEEK),
    (MECOBALAMIN, "每周5天 1片", 500, 2500 * WEEK),
    (MECOBALAMIN, "必要时1片 每日不超过3片", 500, 1500),
    (MECOBALAMIN, "1片 prn 最多每日3片", 500, 1500),
    (MECOBALAMIN, "必要时1片", 500, None),
    (AMPOULE, "每3个月1针", 500, 500 / 90),
    (AMPOULE, "1支 肌注 每周一次", 500, 500 * WEEK),
    (AMPOULE, "每周二、五 1支 肌注", 500, 1000 * WEEK),
    (AMPOULE, "2ml 肌注 每月1次", 1000, 1000 * MONTH),
    ("甲钴胺注射液 0.5mg:1ml", "1支 隔日一次", 500, 250),
    ("维生素B12注射液 0.5mg/支", "2支 每月一次", 1000, 1000 * MONTH),
]


@pytest.mark.parametrize(("product", "text", "dose", "per_day"), [*ENGLISH, *CHINESE, *UNKNOWN])
def test_directions_in_words(product: str, text: str, dose: float | None, per_day: float | None) -> None:
    check(taken(product, text), dose, per_day)


LOADING = "inject 1000 mcg weekly x4 then monthly"
DAILY_WEEKLY_MONTHLY = "1000 mcg IM daily x 7 days, then weekly x 4 weeks, then monthly"


@pytest.mark.parametrize(
    ("text", "days", "dose", "per_day"),
    [
        (LOADING, 0, 1000, 1000 * WEEK),
        (LOADING, 27, 1000, 1000 * WEEK),
        (LOADING, 28, 1000, 1000 * MONTH),
        (LOADING, None, 1000, None),
        (DAILY_WEEKLY_MONTHLY, 6, 1000, 1000),
        (DAILY_WEEKLY_MONTHLY, 7, 1000, 1000 * WEEK),
        (DAILY_WEEKLY_MONTHLY, 34, 1000, 1000 * WEEK),
        (DAILY_WEEKLY_MONTHLY, 35, 1000, 1000 * MONTH),
        ("1 mg every other day for 2 weeks then every 3 months", 13, 1000, 500),
        ("1 mg every other day for 2 weeks then every 3 months", 14, 1000, 1000 / 90),
        ("1 mg weekly for 4 weeks, monthly thereafter", 200, 1000, 1000 * MONTH),
        ("500 mcg daily for a week then 1 mg weekly", 3, 500, 500),
        ("500 mcg daily for a week then 1 mg weekly", 30, 1000, 1000 * WEEK),
        ("weekly x 4 doses, then monthly 1 mg", 3, 1000, 1000 * WEEK),
        ("1 mg weekly until better, then monthly", 100, 1000, None),
        ("1 mg weekly, then daily", 100, 1000, None),
        ("1 mg daily x 7 days, then weekly x 4, then biweekly", 3, 1000, 1000),
        ("1 mg daily x 7 days, then weekly x 4, then biweekly", 200, 1000, None),
        ("1 mg weekly, then daily for a week", 100, 1000, None),
        ("0.5mg 每日一次连用7天后改为每周一次", 3, 500, 500),
        ("0.5mg 每日一次连用7天后改为每周一次", 7, 500, 500 * WEEK),
        ("1mg 每周1次×4次，以后每月1次", 20, 1000, 1000 * WEEK),
        ("1mg 每周1次×4次，以后每月1次", 40, 1000, 1000 * MONTH),
    ],
)
def test_the_phase_of_today_counts(text: str, days: int | None, dose: float, per_day: float | None) -> None:
    check(taken(B12, text, days=days), dose, per_day)


@pytest.mark.parametrize(
    ("written", "per_day"),
    [("2026-11", 1000 * WEEK), ("2026-01", 1000 * MONTH), ("2026-10", None)],
)
def test_a_start_known_to_the_month_settles_only_phases_that_hold_for_all_of_it(written: str, per_day: float | None) -> None:
    order = ordered(medicationCodeableConcept={"text": B12}, dosageInstruction=[{"text": LOADING}], authoredOn=written)
    check(medicine(chart(order)), 1000, per_day)


def each(value: float, unit: str, **more: Any) -> dict[str, Any]:
    return {"doseAndRate": [{"doseQuantity": {"value": value, "unit": unit, **more}}]}


def every(**repeat: Any) -> dict[str, Any]:
    return {"timing": {"repeat": repeat}}


def kind(name: str, value: float, unit: str) -> dict[str, Any]:
    return {"type": {"coding": [{"code": name}]}, "doseQuantity": {"value": value, "unit": unit}}


def ratio(value: float, unit: str, days: float, period: str = "d") -> dict[str, Any]:
    return {"numerator": {"value": value, "unit": unit}, "denominator": {"value": days, "code": period}}


DAILY = every(frequency=1, period=1, periodUnit="d")
ONE = each(1, "tablet")
EPIC = [kind("calculated", 1000, "mcg"), kind("admin-amount", 2, "{tbl}"), kind("ordered", 1000, "mcg")]
STRUCTURED: list[tuple[Any, dict[str, Any], float | None, float | None]] = [
    (B12, {**each(1, "mg"), **DAILY}, 1000, 1000),
    (B12, {**each(1000, "ug", code="ug"), **DAILY}, 1000, 1000),
    (B12, {**each(1000, "mg", code="ug"), **DAILY}, None, None),
    (B12, {**each(1000, "[iU]"), **DAILY}, None, None),
    (B12, {**each(1000, "mcg", comparator=">"), **DAILY}, None, None),
    (B12, {"doseAndRate": EPIC, **DAILY}, 1000, 1000),
    (B12, {"doseAndRate": EPIC[::-1], **DAILY}, 1000, 1000),
    (B12, {"doseAndRate": [kind("ordered", 15, "mcg/kg"), kind("calculated", 1000, "mcg")], **DAILY}, 1000, 1000),
    (TABLET, {"doseAndRate": [kind("ordered", 1, "dose"), kind("admin-amount", 2, "{tbl}")], **DAILY}, 2000, 2000),
    (TABLET, {"doseAndRate": [*ONE["doseAndRate"], *each(2, "tablet")["doseAndRate"]], **DAILY}, None, None),
    (TABLET, {"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "tablet"}, "high": {"value": 2, "unit": "tablet"}}}], **DAILY}, 2000, 2000),
    (TABLET, {"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "tablet"}}}], **DAILY}, None, None),
    (TABLET, {"maxDosePerAdministration": {"value": 2, "unit": "tablet"}, **DAILY}, 2000, 2000),
    (TABLET, {**ONE, **every(frequency=1, frequencyMax=3, period=1, periodUnit="d")}, 1000, 3000),
    (TABLET, {**ONE, **every(frequency=1, period=4, periodMax=6, periodUnit="h")}, 1000, 6000),
    (TABLET, {**ONE, **every(frequency=1, period=1, periodUnit="d", dayOfWeek=["mon", "thu"])}, 1000, 2000 * WEEK),
    (TABLET, {**ONE, **every(frequency=1, period=1, periodUnit="wk", dayOfWeek=["mon", "wed", "fri"])}, 1000, 3000 * WEEK),
    (TABLET, {**ONE, **every(frequency=1, period=2, periodUnit="d", dayOfWeek=["mon"])}, 1000, None),
    (TABLET, {**ONE, **every(dayOfWeek=["mon", "mon"])}, 1000, 1000 * WEEK),
    (TABLET, {**ONE, **every(dayOfWeek=["someday"])}, 1000, None),
    (TABLET, {**ONE, **every(timeOfDay=["08:00:00", "20:00:00"])}, 1000, 2000),
    (TABLET, {**ONE, **every(frequency=1, period=1, periodUnit="d", when=["MORN", "NIGHT"])}, 1000, 2000),
    (TABLET, {**ONE, **every(when="HS")}, 1000, 1000),
    (TABLET, {**ONE, **every(when=["PC"])}, 1000, 3000),
    (TABLET, {**ONE, **every(frequency=1, period=1, periodUnit="d", when=["PC"])}, 1000, 1000),
    (TABLET, {**ONE, **every(frequency=1, period=1)}, 1000, None),
    (TABLET, {**ONE, **every(frequency=0, period=1, periodUnit="d")}, 1000, None),
    (TABLET, {**ONE, "timing": {"code": {"coding": [{"code": "Q8H"}]}}}, 1000, 3000),
    (TABLET, {**ONE, "timing": {"code": {"coding": [{"code": "WK"}]}}}, 1000, 1000 * WEEK),
    (TABLET, {**ONE, "timing": {"code": {"text": "Every 6 hours as needed"}}}, 1000, 4000),
    (TABLET, {**ONE, "timing": {"code": {"coding": [{"code": "BID"}]}, **DAILY["timing"]}}, 1000, None),
    (TABLET, {**ONE, "asNeededBoolean": True, **every(frequency=1, period=6, periodUnit="h"), "maxDosePerPeriod": ratio(2, "tablet", 1)}, 1000, 2000),
    (TABLET, {**ONE, "asNeededCodeableConcept": {"text": "fatigue"}, "maxDosePerPeriod": [ratio(3, "tablet", 24, "h")]}, 1000, 3000),
    (TABLET, {**ONE, "asNeededBoolean": True, **DAILY, "maxDosePerPeriod": ratio(3, "tablet", 1)}, 1000, 1000),
    (TABLET, {**ONE, "asNeededBoolean": True}, 1000, None),
    (TABLET, {**ONE, **every(frequency=2, period=1, periodUnit="d"), "maxDosePerPeriod": ratio(1, "tablet", 1)}, 1000, 2000),
    (TABLET, {**ONE, "maxDosePerPeriod": ratio(14, "mg", 1, "wk")}, 1000, 2000),
    (TABLET, {**ONE, "maxDosePerPeriod": ratio(14, "mg", 0)}, 1000, None),
    (B12, {"doseAndRate": [{"rateRatio": ratio(1, "mg", 1)}]}, None, 1000),
    (B12, {"doseAndRate": [{"rateRatio": ratio(1, "mg", 1, "h")}]}, None, None),
    (B12, {"doseAndRate": [{"rateQuantity": {"value": 1, "unit": "mg/h"}}], **DAILY}, None, None),
    # words beside structure
    (TABLET, {**ONE, **DAILY, "text": "1 tablet (1000 mcg) once daily"}, 1000, 1000),
    (TABLET, {**ONE, **DAILY, "text": "take as directed"}, 1000, 1000),
    (TABLET, {**ONE, **DAILY, "text": "1 tablet twice daily"}, 1000, None),
    (TABLET, {**ONE, **DAILY, "text": "2 tablets daily"}, None, None),
    (TABLET, {**ONE, **DAILY, "text": "500 mcg daily"}, None, None),
    (B12, {**ONE, **DAILY, "text": "500 mcg daily"}, 500, 500),
    (B12, {**each(1000, "mcg"), **DAILY, "text": "1 tablet (500 mcg) daily"}, None, None),
    (B12, {**each(1000, "mcg"), **DAILY, "text": "1 tablet (1 mg) daily"}, 1000, 1000),
    (B12, {**each(1000, "mcg"), **every(frequency=1, period=4, periodUnit="wk"), "text": "1000 mcg monthly"}, 1000, 1000 / 28),
    (B12, {**each(1000, "mcg"), **every(frequency=1, period=1, periodUnit="wk"), "text": LOADING}, 1000, None),
    (TABLET, {**ONE, "text": "see label", "patientInstruction": "once daily"}, 1000, 1000),
    (TABLET, {"text": "1 tablet", "patientInstruction": "once daily"}, 1000, 1000),
    (TABLET, {"text": "1 tablet prn", "patientInstruction": "max 2 tablets a day"}, 1000, 2000),
]  # fmt: skip


@pytest.mark.parametrize(("product", "line", "dose", "per_day"), STRUCTURED)
def test_structured_directions(product: Any, line: dict[str, Any], dose: float | None, per_day: float | None) -> None:
    check(taken(product, line), dose, per_day)


def coded(*codes: str, **more: Any) -> dict[str, Any]:
    return {"coding": [{"system": RXNORM, "code": code} for code in codes], **more}


@pytest.mark.parametrize(
    ("product", "per_day"),
    [
        (coded("309593"), 1000),
        (coded("11248", "309593"), 1000),
        (coded("309593", text="Cyanocobalamin 1,000 mcg tablet"), 1000),
        (coded("309593", text="cyanocobalamin 500 mcg tablet"), None),
        (coded("309593", "313896"), None),
        (coded("11248"), None),
        (coded("830736"), 500),
        (coded("259711"), 1200),
        (coded("830736", text="folic acid 1 mg / B12 5 mg"), None),
        ("B-complex with vitamin B12 500 mcg", 500),
    ],
)
def test_the_strength_of_a_product(product: Any, per_day: float | None) -> None:
    check(taken(product, "1 tablet daily"), per_day, per_day)


def test_every_coded_combination_of_rxnorm_says_how_much_b12_it_holds() -> None:
    entries = [entry for entry in load().value_sets["b12_combination"].codes if entry.system == "rxnorm"]
    silent = [
        entry.code
        for entry in entries
        if taken(coded(entry.code), "1 mL" if "MG/ML" in entry.label else "1 tablet").strengths.get("b12") is None
    ]
    assert silent == []


def test_what_could_be_read_is_a_lower_bound() -> None:
    found = taken(TABLET, "1 tablet daily", "as directed")
    assert nutrient_ug_per_day(found, "b12") is None
    assert nutrient_ug_at_least(found, "b12") == 1000
