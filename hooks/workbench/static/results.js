/** The right side: what was concluded in a line, and below it one panel at a time. */

import { cards } from "./cards.js";
import { coursePanel } from "./course.js";
import { data } from "./data.js";
import { h } from "./dom.js";
import { changed, evaluate, isWhatIf, resetWhatIf, retry, state } from "./state.js";
import { silences } from "./silences.js";
import { t } from "./words.js";
import { differences, whatIf } from "./whatif.js";
import { wire } from "./wire.js";

const PANELS = { cards, course: coursePanel, silences, data, what_if: whatIf, wire };
export const TABS = Object.keys(PANELS);

const place = () => document.getElementById("results");

export function drawResults() {
  const main = place();
  main.setAttribute("aria-busy", state.busy);
  if (state.busy && state.result) return; // what is shown stays until there is something else
  if (state.failure) main.replaceChildren(failure());
  else if (!state.result) main.replaceChildren(state.busy ? loading() : h("p", { class: "empty" }, t("nothing_yet")));
  else show(main);
}

/** Draw anew, and leave the focus where it was as far as that is still there. */
function show(main) {
  const focused = main.contains(document.activeElement) ? document.activeElement.id || "panel" : "";
  main.replaceChildren(summary(), whatIfNotice(), tabs(), panel());
  if (focused) (document.getElementById(focused) ?? document.getElementById("panel")).focus({ preventScroll: true });
}

function loading() {
  return h(
    "div",
    { class: "loading" },
    h("p", { class: "visually-hidden" }, t("loading")),
    [1, 2, 3].map(() => h("div", { class: "bone" })),
  );
}

function failure() {
  const { status, issues, what } = state.failure;
  const sentences = status === 0 ? [t("unreachable")] : issues;
  return h(
    "section",
    { class: "notice bad", role: "alert" },
    h("h2", {}, t(what)),
    sentences.map((sentence) => h("p", {}, sentence)),
    what === "could_not_ask" ? h("button", { type: "button", onclick: () => retry() }, t("try_again")) : null,
    isWhatIf() ? resetButton() : null,
  );
}

function summary() {
  const { result } = state;
  const decided = result.decided;
  const meta = [
    h("span", { class: result.status === 200 ? "status ok" : "status refused" }, t(`status_${result.status}`)),
    h("span", {}, `${result.took_ms.toFixed(result.took_ms < 10 ? 1 : 0)} ms`),
    h("span", {}, result.language === "en" ? "English" : "中文"),
  ];
  if (!decided) return h("section", { class: "summary", "aria-label": t("summary") }, h("p", { class: "meta" }, meta));
  const { patient } = decided;
  const person = [t(`gender_${patient.gender ?? "unknown"}`), patient.birth ? t("born", { birth: patient.birth }) : null].filter(
    Boolean,
  );
  const facts = ["scope", "b12_status", "absorption", "regimen"].map((name) =>
    h(
      "div",
      {},
      h("dt", {}, t(`fact_${name}`)),
      h(
        "dd",
        {},
        name === "regimen" ? t(`regimen_${decided.report.regimen.action}`) : decided.summary[name],
        name === "regimen" ? h("span", { class: "because" }, decided.summary.row) : null,
      ),
    ),
  );
  return h(
    "section",
    { class: "summary", "aria-label": t("summary") },
    h("p", { class: "meta" }, h("strong", {}, person.join(t("comma"))), h("span", {}, t("as_of", { day: decided.today })), meta),
    h("dl", {}, facts),
  );
}

function whatIfNotice() {
  if (!isWhatIf()) return "";
  const count = Object.keys(state.numbers).length + state.hidden.size;
  const changes = state.result.changes;
  return h(
    "section",
    { class: "notice what-if", "aria-label": t("tab_what_if") },
    h(
      "p",
      {},
      h("strong", {}, t("what_if_on", { count })),
      " ",
      changes ? (changes.same ? t("what_if_same") : t("what_if_differs")) : "",
    ),
    resetButton(),
    state.tab === "what_if" ? null : differences(changes),
  );
}

function resetButton() {
  function reset() {
    resetWhatIf();
    evaluate();
  }
  return h("button", { type: "button", class: "quiet", id: "reset-what-if", onclick: reset }, t("reset"));
}

function counts() {
  const { result } = state;
  const decided = result.decided;
  return {
    cards: result.cards.length,
    course: decided?.course.panels.length,
    silences: decided?.silences.length,
    data: decided ? decided.notes.length + decided.gaps.length : 0,
    what_if: Object.keys(state.numbers).length + state.hidden.size,
  };
}

function tabs() {
  const count = counts();
  const buttons = TABS.map((name) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${name}`,
        "aria-selected": String(name === state.tab),
        "aria-controls": "panel",
        tabindex: name === state.tab ? "0" : "-1",
        onclick: () => choose(name),
      },
      t(`tab_${name}`),
      count[name] ? h("span", { class: "count" }, String(count[name])) : null,
    ),
  );
  return h("div", { role: "tablist", "aria-label": t("panels"), class: "tabs", onkeydown: move }, buttons);
}

function move(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const at = TABS.indexOf(state.tab);
  const to = step ? (at + step + TABS.length) % TABS.length : { Home: 0, End: TABS.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(TABS[to]);
}

export function choose(name) {
  state.tab = name;
  changed("result");
  document.getElementById(`tab-${name}`).focus({ preventScroll: true });
  document.getElementById(`tab-${name}`).scrollIntoView({ block: "nearest", inline: "nearest" });
}

function panel() {
  return h(
    "section",
    { role: "tabpanel", id: "panel", "aria-labelledby": `tab-${state.tab}`, tabindex: "0" },
    PANELS[state.tab](state.result),
  );
}
