"""The workbench as somebody uses it: the main path, the course, both languages, narrow, dark, errors, keys, and what is heard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hooks.examples import fixtures
from tests.browser.conftest import OpenPage
from tests.browser.opening import NARROW, visit
from tests.patients import request


AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
BUNDLE = Path(__file__).parents[2] / "fixtures" / "bundles" / "synthea-willia.json"
TABS = ("cards", "course", "silences", "data", "what_if", "wire")


def violations(page: Page, rules: str = "{}", where: str = "document") -> list[str]:
    """What axe-core finds. It is put into the page from outside, as the page itself lets no foreign script in."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate(f"axe.run({where}, {rules})")["violations"]
    return [f"{fault['id']}: {node['html'][:160]}" for fault in found for node in fault["nodes"]]


def test_from_a_patient_to_the_record_behind_a_card_and_back_as_feedback(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    card = page.locator("article.card")
    expect(card).to_have_count(1)
    expect(card.get_by_role("heading", level=2)).to_contain_text("consider 1,000 µg a day sublingually")
    page.get_by_role("button", name="Show the whole card").click()
    expect(card.locator(".detail")).to_contain_text("Trials have not shown fewer fractures")
    card.get_by_text("Why this card").click()
    tree = page.get_by_role("tree")
    for _ in range(60):
        if tree.locator(".chart .references button").count():
            break
        tree.locator("li:not(.barren) > .node[aria-expanded=false]").last.click()
    tree.locator(".chart .references button").first.click()
    expect(page.get_by_role("dialog")).to_contain_text('"resourceType"')
    page.get_by_role("button", name="Close").click()
    card.locator("button.accept").first.click()
    expect(card.locator(".told")).to_contain_text("Accepted, and stored as feedback")
    expect(card.locator("button.accept.chosen")).to_be_disabled()
    page.locator("input[value=nothing-to-say]").check()
    expect(page.locator(".empty")).to_contain_text("No card")
    page.locator("input[value=severe-anaemia]").check()
    page.locator(".override summary").first.click()
    page.get_by_label("Reason").first.select_option("specialist")
    page.get_by_label("Comment").first.fill("haematology knows")
    page.get_by_role("button", name="Send the override").first.click()
    expect(page.locator(".told.done").first).to_contain_text("Managed by a specialist")


def test_every_example_is_shown_without_a_complaint(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    page.get_by_label("Client", exact=True).select_option("epic")
    for fixture in fixtures():
        page.locator(f'input[name=fixture][value="{fixture.name}"]').check()
        page.wait_for_url(f"**fixture={fixture.name}&client=epic**")
    page.evaluate("location.hash = '#fixture=pregnant&tab=wire'")
    expect(page.locator("#tab-wire[aria-selected=true]")).to_be_visible()
    expect(page.locator("input[value=pregnant]")).to_be_checked()


def test_the_course_is_drawn_and_told(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base, "two-years-on", "course")
    pictures = page.locator(".picture svg")
    expect(pictures).to_have_count(5)
    told = pictures.first.get_attribute("aria-label") or ""
    assert "132 pg/mL" in told
    assert "low < 180" in told
    expect(page.locator(".next")).to_contain_text("Overdue since")
    assert pictures.first.locator("[stroke-dasharray]").count() >= 2, "lines differ by their dashes, not by colour alone"
    expect(pictures.last).to_contain_text("500 µg a day")
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("table")).to_have_count(3)
    visit(page, base, "comparator-undecided", "course")
    expect(page.locator(".legend")).to_contain_text("squares")
    visit(page, base, "baseline-missing", "course")
    expect(page.locator(".empty")).to_contain_text("Nothing to draw")
    visit(page, base, "food-bound-deficiency", "course")
    expect(page.locator(".next")).to_contain_text("Review proposed for")


def test_on_paper_there_is_the_picture_and_its_table(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(color_scheme="dark"), base, "two-years-on", "course")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#intake")).to_be_hidden()
    expect(page.get_by_role("table").first).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.picture')).backgroundColor") == "rgb(255, 255, 255)"


def test_chinese_is_chinese_throughout(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base, "two-years-on")
    page.locator("#switches").get_by_text("中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("tab").first).to_contain_text("卡片")
    expect(page.locator("article.card h2")).to_contain_text("维生素B12")
    page.locator("article.card details.why summary").first.click()
    expect(page.get_by_role("treeitem").filter(has_text="follow_up_items")).to_contain_text("全部九项，按卡片中的顺序")
    expect(page.locator(".example-title").last).to_contain_text("女")
    page.get_by_role("tab").nth(1).click()
    expect(page.locator(".picture svg").first).to_contain_text("灰区")
    assert page.locator("#results").inner_text().isascii() is False
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_label("卡片语言").select_option("en")
    page.get_by_role("tab").first.click()
    expect(page.locator("article.card h2")).to_contain_text("follow-up is overdue")


def test_a_narrow_panel_needs_no_scrolling_sideways(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(viewport=NARROW), base, "two-years-on", language="zh-CN")
    expect(page.locator(".choices")).not_to_have_attribute("open", "")
    for tab in TABS:
        page.locator(f"#tab-{tab}").click()
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"], tab
    page.get_by_text("患者与设置").click()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    assert violations(page) == []


@pytest.mark.parametrize(("scheme", "rules"), [("light", "{}"), ("dark", "{runOnly: ['color-contrast']}")])
def test_axe_finds_nothing(base: str, new_page: OpenPage, scheme: str, rules: str) -> None:
    page = visit(new_page(color_scheme=scheme), base, "conditions-query-failed")
    page.get_by_text("Why this card").click()
    page.locator(".tree .node[aria-expanded=false]").first.click()
    page.locator(".override summary").click()
    found = violations(page, rules)
    for tab in TABS[1:]:
        page.locator(f"#tab-{tab}").click()
        found += violations(page, rules, "'#results'")
    page.locator("#tab-what_if").click()
    page.locator("#record-0").uncheck()
    page.locator(".notice.what-if").wait_for()
    assert found + violations(page, rules, "'#results'") == []


def test_colours_follow_the_system_or_the_switch(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(color_scheme="dark"), base)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_text("Light", exact=True).click()
    light = page.evaluate(ground)
    assert dark != light
    page.reload()
    page.locator("#panel").wait_for()
    assert page.evaluate(ground) == light


def test_a_request_of_ones_own(base: str, new_page: OpenPage, tmp_path: Path) -> None:
    page = visit(new_page(), base)
    page.get_by_text("Your own", exact=True).click()
    text = page.get_by_label("Hook request or patient Bundle")
    text.fill("")
    page.get_by_role("button", name="Evaluate").click()
    expect(page.locator(".fault")).to_contain_text("Paste a request first")
    text.fill("no JSON")
    text.press("Control+Enter")
    expect(page.locator(".notice.bad")).to_contain_text("The body is no JSON object")
    page.get_by_role("tab", name="Data").click()
    expect(page.locator(".empty")).to_contain_text("Nothing was decided")
    page.get_by_role("tab", name="Cards").click()
    assert violations(page) == []
    mine = request({"age": 72, "problems": ["osteoporosis"], "results": [{"b12_total": "142 pg/mL"}]})
    text.fill(json.dumps(mine))
    page.get_by_role("button", name="Evaluate").click()
    expect(page.locator("article.card").first).to_be_visible()
    text.fill(json.dumps(mine | {"prefetch": {}}))
    page.get_by_role("button", name="Evaluate").click()
    expect(page.locator(".notice.bad")).to_contain_text("The service refuses to answer")
    page.locator("input[type=file]").set_input_files(BUNDLE)
    expect(page.locator(".status.ok")).to_be_visible()
    assert json.loads(text.input_value())["hook"] == "patient-view"
    text.fill('{"resourceType": "Bundle"}')
    page.get_by_role("button", name="Evaluate").click()
    expect(page.get_by_role("alert").last).to_contain_text("holds no Patient")


def test_a_dropped_file_is_read(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    page.get_by_text("Your own", exact=True).click()
    drop = """content => {
      const given = new DataTransfer();
      given.items.add(new File([content], "request.json"));
      for (const kind of ["dragover", "drop"]) {
        document.querySelector(".drop").dispatchEvent(new DragEvent(kind, { dataTransfer: given, bubbles: true, cancelable: true }));
      }
    }"""
    page.evaluate(drop, json.dumps(request({"age": 12, "problems": ["osteoporosis"]})))
    expect(page.locator(".summary")).to_contain_text("born 2014")
    expect(page.locator(".empty")).to_contain_text("No card")


def test_a_service_that_is_away_is_said_so(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    page.route("**/workbench/api/fixtures/pregnant", lambda route: route.abort())
    page.locator("input[value=pregnant]").check()
    expect(page.get_by_role("alert")).to_contain_text("It does not answer")
    assert violations(page) == []
    page.unroute("**/workbench/api/fixtures/pregnant")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("article.card h2")).to_contain_text("Pregnan")


def test_what_if_shows_what_would_change_and_sends_nothing(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base, "normal-absorption-deficiency", "what_if")
    page.locator("#add-number").select_option("b12_total_deficient_lt_pgml")
    slider = page.locator("#number-b12_total_deficient_lt_pgml")
    expect(slider).to_be_focused()
    slider.press("Home")
    expect(page.locator(".notice.what-if")).to_contain_text("the advice")
    page.locator(".ticks label", has_text="Vitamin B12 (total)").first.locator("input").uncheck()
    expect(page.locator(".differences .gone").first).to_be_visible()
    assert violations(page) == []
    page.get_by_role("tab", name="Cards").click()
    expect(page.locator(".told").first).to_contain_text("No feedback is sent on what-if cards")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator(".notice.what-if")).to_have_count(0)
    expect(page.locator("article.card h2").first).to_contain_text("142 pg/mL")


def test_a_number_in_a_trace_leads_to_what_if(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    page.get_by_text("Why this card").click()
    tree = page.get_by_role("tree")
    for _ in range(4):
        tree.locator("li:not(.barren) > .node[aria-expanded=false]").first.click()
    tree.get_by_role("button", name="Try another value").first.click()
    expect(page.get_by_role("tab", name="What if")).to_have_attribute("aria-selected", "true")
    expect(page.locator("input[type=range]")).to_have_count(1)


def test_everything_can_be_reached_by_keys(base: str, new_page: OpenPage) -> None:
    page = visit(new_page(), base)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#tab-cards")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-course")).to_be_focused()
    expect(page.locator(".picture")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator("#tab-wire")).to_be_focused()
    page.keyboard.press("Home")
    page.locator(".why > summary").press("Enter")
    first = page.locator("[role=treeitem]").first
    expect(first).to_be_visible()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    for key, attribute in (("ArrowRight", "true"), ("ArrowLeft", "false"), ("Enter", "true")):
        page.keyboard.press(key)
        expect(first).to_have_attribute("aria-expanded", attribute)
    page.keyboard.press("ArrowRight")
    expect(page.locator("[role=group] [role=treeitem]").first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(first).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    expect(first).to_be_focused()
    radio = page.locator("input[name=fixture]:checked")
    radio.press("ArrowDown")
    expect(page.locator("input[value=functional-deficiency]")).to_be_checked()


def test_the_wire_can_be_copied_as_a_command(base: str, new_page: OpenPage) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    visit(page, base, "pregnant", "wire", client="epic")
    expect(page.locator("#panel")).to_contain_text("what is chosen here may differ")
    page.get_by_role("button", name="Copy as curl").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(
        f"curl -s {base}/cds-services/b12-bone-health -H 'Content-Type: application/json' -H 'Accept-Language: en'"
    )
    assert json.loads(copied.partition("<<'REQUEST'\n")[2].rpartition("\nREQUEST")[0])["hook"] == "patient-view"
    expect(page.locator("pre").last).to_contain_text('"cards"')
