"""What is done to the workbench by hands that do not follow the path: odd patients, odd files, keys, changes in the middle."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.opening import NARROW, visit
from tests.browser.test_workbench import violations
from tests.patients import request


PERSON: dict[str, Any] = {"age": 72, "problems": ["osteoporosis"]}
DROP = """files => {
  const given = new DataTransfer();
  for (const [name, content] of files) given.items.add(new File([content], name));
  for (const kind of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: given, bubbles: true, cancelable: true }));
}"""


def own(page: Page, content: Any) -> Locator:
    """Evaluate something of one's own; the text it is typed into."""
    page.locator("input[value=own]").check(force=True)
    text = page.locator("textarea")
    text.fill(content if isinstance(content, str) else json.dumps(content))
    with page.expect_response("**/workbench/api/**"):
        page.get_by_role("button", name="Evaluate").click()
    return text


def medicine(**more: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "intent": "order", "subject": {"reference": "Patient/p1"}, **more}


# What is shown


def test_what_a_record_says_is_never_a_link_a_picture_or_a_script(base: str, new_page: OpenPage) -> None:
    nasty = "[press **me**](https://evil.example) ![x](https://evil.example/x.png) <img src=x onerror=alert(1)> <b>bold</b>"
    body = request({**PERSON, "results": [{"b12_total": "142 pg/mL"}]})
    body["prefetch"]["conditions"]["entry"][0]["resource"]["code"]["text"] = nasty
    body["prefetch"]["medications"]["entry"] = [
        {"resource": medicine(id="m", status="active", medicationCodeableConcept={"text": f"omeprazole 20 mg {nasty}"})},
        {"resource": medicine(id="n", status="stopped", medicationCodeableConcept={"text": "metformin " + "unbroken" * 60})},
    ]
    page = visit(new_page(viewport=NARROW), base)
    page.locator(".choices > summary").click()
    own(page, body)
    expect(page.locator("article.card")).not_to_have_count(0)
    for tab in ("cards", "course", "silences", "data", "what_if", "wire"):
        page.locator(f"#tab-{tab}").click()
        assert page.locator("#results").locator("img, b, script, a[href*=evil]").count() == 0, tab
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"], tab


def test_a_course_hides_no_old_result_and_invents_no_day(base: str, new_page: OpenPage) -> None:
    results = [
        {"b12_total": "142 pg/mL", "days_ago": 9000},
        *({"b12_total": f"{value} pg/mL", "days_ago": 30} for value in (310, 318)),
    ]
    body = request({**PERSON, "results": results})
    body["prefetch"]["medications"]["entry"] = [
        {"resource": medicine(id="m", status="active", medicationCodeableConcept={"text": "omeprazole 20 mg"})},
        {
            "resource": medicine(
                id="n", status="stopped", authoredOn="2025-01", medicationCodeableConcept={"text": "metformin 500 mg"}
            )
        },
    ]
    page = visit(new_page(), base, tab="course")
    own(page, body)
    expect(page.locator("figcaption").first).to_contain_text("Earlier, not drawn: 142 pg/mL")
    written = page.locator(".picture svg").first.locator("text", has_text="31")
    expect(written).to_have_count(1)
    lanes = page.locator(".picture svg").last
    expect(lanes).to_contain_text("(start not recorded) · omeprazole")
    expect(lanes).to_contain_text("(end not recorded) · metformin")
    expect(lanes.locator("rect[stroke-dasharray], g[stroke-dasharray] rect")).to_have_count(2)
    expect(page.locator(".next").first).to_contain_text("Proposed to be measured now:")
    assert violations(page) == []


def test_names_of_lines_and_years_do_not_cover_each_other(base: str, new_page: OpenPage) -> None:
    results = [{"b12_total": f"{value} pg/mL", "days_ago": days} for value, days in ((1999, 2000), (150, 30))]
    page = visit(new_page(viewport=NARROW), base, tab="course")
    page.locator(".choices > summary").click()
    own(page, request({**PERSON, "results": results}))
    expect(page.locator(".picture svg").first).to_contain_text("1,999")
    overlaps = """() => [...document.querySelectorAll(".picture figure:first-child text")].flatMap((one, at, all) =>
      all.slice(at + 1).filter((other) => {
        const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
        return a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
      }).map((other) => `${one.textContent} / ${other.textContent}`))"""
    assert page.evaluate(overlaps) == []


def test_cards_in_another_language_than_the_page_say_so(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base, language="zh-CN")
    page.get_by_label("卡片语言").select_option("en")
    expect(page.locator("article.card h2")).to_have_attribute("lang", "en")
    assert violations(page) == []
    expect(page.locator("article.card h2")).to_contain_text("sublingually")
    expect(page.locator(".summary dd").nth(1)).to_contain_text("缺乏")
    page.locator("#tab-what_if").click()
    expect(page.locator("#add-number")).to_contain_text("强效抑酸药使用达到该时长视为长期使用")


# Whose request it is


def test_back_at_the_examples_the_marked_one_is_shown(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    own(page, request({"age": 12, "problems": ["osteoporosis"]}))
    expect(page.locator(".summary")).to_contain_text("born 2014")
    page.locator("input[value=example]").check(force=True)
    expect(page.locator(".summary")).to_contain_text("born 1952")
    page.locator("input[value=own]").check(force=True)
    expect(page.locator("textarea")).not_to_have_value("")


def test_after_a_reload_nobody_else_stands_in_the_place_of_ones_own_patient(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    own(page, request({"age": 12, "problems": ["osteoporosis"]}))
    expect(page.locator(".summary")).to_contain_text("born 2014")
    page.reload()
    expect(page.locator("#results .empty")).to_contain_text("Choose a patient to begin")
    expect(page.locator("textarea")).to_have_value("")
    page.locator("#switches").get_by_text("中文").click()
    expect(page.locator("#results .empty")).to_contain_text("请选择患者")
    page.get_by_label("服务与钩子").select_option("b12-bone-health")
    own_text = page.locator("textarea")
    own_text.fill(json.dumps(request(PERSON)))
    page.get_by_label("评估日期").fill("2026-12-01")
    expect(page.locator(".summary")).to_contain_text("2026-12-01")


def test_another_hook_asks_about_the_same_patient(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base, "two-years-on")
    service = page.get_by_label("Service and hook")
    refill = service.locator("option", has_text="medication-refill").get_attribute("value") or ""
    service.select_option(refill)
    expect(page.locator(".status.ok")).to_be_visible()
    expect(page.locator("#made")).to_contain_text("made of the data")
    page.locator("#tab-wire").click()
    expect(page.locator("#panel pre").first).to_contain_text('"hook": "medication-refill"')
    service.select_option(service.locator("option", has_text="order-sign").get_attribute("value") or "")
    expect(page.get_by_role("alert").last).to_contain_text("order-sign is about draftOrders")
    service.select_option(service.locator("option", has_text="patient-view").get_attribute("value") or "")
    expect(page.locator("#panel pre").first).to_contain_text("writtenFor")
    expect(page.locator("#made")).to_be_hidden()


def test_a_file_may_be_dropped_anywhere_but_not_two_and_not_a_whole_disk(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    mine = json.dumps(request({"age": 12, "problems": ["osteoporosis"]}))
    page.evaluate(DROP, [["a.json", mine], ["b.json", mine]])
    expect(page.get_by_role("alert")).to_contain_text("one file at a time")
    assert violations(page) == []
    page.evaluate(DROP, [["a.json", mine]])
    expect(page.locator(".summary")).to_contain_text("born 2014")
    page.evaluate(DROP, [["picture.png", "\x89PNG\r\n"]])
    expect(page.locator(".notice.bad")).to_contain_text("The body is no JSON object")
    page.evaluate(f"({DROP})([['disk.json', new Uint8Array(65 * 1024 * 1024)]])")
    expect(page.get_by_role("alert")).to_contain_text("at most 68 MB are read")
    page.evaluate(DROP, [["long.json", mine[:-1] + ', "x": "' + "a" * 11_000_000 + '"}']])
    expect(page.locator(".notice.bad")).to_contain_text("The service does not read a request of this size", timeout=30_000)


# Feedback


def test_a_button_pressed_twice_reports_once_and_keeps_the_place(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if asked.url.endswith("/feedback") else None)
    page.locator("button.accept").first.dblclick()
    told = page.locator(".told.done")
    expect(told).to_contain_text("Accepted, and stored as feedback: cyanocobalamin")
    expect(told).to_be_focused()
    assert violations(page) == []
    assert len(sent) == 1
    page.locator("#switches").get_by_text("中文").click()
    expect(page.locator(".told.done")).to_contain_text("已采纳并记录反馈：cyanocobalamin")
    expect(page.locator("button.accept:enabled")).to_have_count(0)


def test_of_suggestions_that_go_together_several_can_be_accepted(base: str, new_page: OpenPage) -> None:
    def together(route: Route) -> None:
        told = route.fetch().json()
        route.fulfill(json={**told, "answer": told["answer"].replace("at-most-one", "any")})

    page = new_page()
    page.route("**/workbench/api/evaluate", together)
    visit(page, base)
    for number in (1, 2):
        page.locator("button.accept:enabled").first.click()
        expect(page.locator("button.accept.chosen")).to_have_count(number)


def test_feedback_that_is_not_stored_can_be_tried_again(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    page.route("**/feedback", lambda route: route.abort())
    page.locator("button.accept").first.click()
    expect(page.locator(".told.fault")).to_contain_text("was not stored")
    page.unroute("**/feedback")
    page.locator("button.accept").first.click()
    expect(page.locator(".told.done")).to_be_visible()


# The trace


def test_the_way_from_an_advice_to_its_result_is_open_from_every_mention(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    page.get_by_text("Why this card").click()

    def opened(item: Locator) -> Locator:
        item.click()
        return item.locator("xpath=following-sibling::ul/li/div")

    named = page.locator("[role=treeitem]")
    below = opened(named.filter(has=page.get_by_text("regimen", exact=True)).first)
    status = below.filter(has=page.get_by_text("b12_status", exact=True))
    expect(status).to_contain_text("deficient")
    expect(opened(status)).not_to_have_count(0)
    assert violations(page) == []


def test_what_was_not_found_opens_to_what_it_is(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    page.get_by_text("Why this card").click()
    folded = page.locator(".barren > .node").first
    folded.click()
    inside = folded.locator("xpath=following-sibling::ul/li/div")
    expect(inside).not_to_have_count(1)
    assert not any("Looked for" in text for text in inside.all_inner_texts())


# By keys


def test_everything_in_a_tree_can_be_reached_by_keys(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    page.get_by_text("Why this card").click()
    page.locator("[role=treeitem]").first.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    number = page.locator(".number > .node", has=page.get_by_role("button", name="Try another value")).first
    number.focus()
    for _ in range(number.locator("a, button").count()):
        page.keyboard.press("Tab")
    expect(number.get_by_role("button", name="Try another value")).to_be_focused()


def test_a_number_typed_keeps_the_focus_and_an_empty_one_asks_nothing(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base, tab="what_if")
    page.locator("#add-number").select_option("ppi_long_term_days")
    exact = page.locator("#exact-ppi_long_term_days")
    exact.fill("400")
    exact.press("Enter")
    expect(page.locator(".notice.what-if")).to_be_visible()
    expect(exact).to_be_focused()
    exact.fill("")
    exact.press("Enter")
    expect(page.locator(".notice.bad")).to_have_count(0)
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#add-number")).to_be_focused()


def test_a_year_that_is_being_typed_asks_nothing(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    faults: list[int] = []
    page.on("response", lambda answer: faults.append(answer.status) if answer.status >= 400 else None)
    day = page.get_by_label("Decided as on")
    day.focus()
    page.keyboard.type("01312027")
    expect(page.locator(".summary")).to_contain_text("as of 2027-01-31")
    assert faults == []


def test_a_what_if_that_fails_can_be_taken_back(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base, tab="what_if")
    page.route("**/workbench/api/evaluate", lambda route: route.abort())
    page.locator("#record-0").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.unroute("**/workbench/api/evaluate")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#record-0")).to_be_checked()


# The command


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_copied_command_works_and_runs_nothing_else(base: str, new_page: OpenPage, tmp_path: Path) -> None:
    def copied() -> str:
        page.locator("#tab-wire").click()
        page.get_by_role("button", name="Copy as curl").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        return str(page.evaluate("navigator.clipboard.readText()"))

    def run(command: str) -> Any:
        done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, cwd=tmp_path)  # noqa: S607
        return json.loads(done.stdout)

    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    visit(page, base, language="zh-CN")
    shown = page.locator("article.card h2").inner_text()
    page.locator("#switches").get_by_text("EN").click()
    page.get_by_label("Cards in", exact=True).select_option("zh-CN")
    assert [card["summary"] for card in run(copied())["cards"]] == [shown]
    own(page, "no JSON\nREQUEST\ntouch harm\ncat <<'REQUEST'")
    assert run(copied())["resourceType"] == "OperationOutcome"
    assert list(tmp_path.iterdir()) == []


def test_a_browser_that_keeps_the_clipboard_to_itself_is_told(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base, tab="wire")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="The browser did not allow it")).to_be_visible()
