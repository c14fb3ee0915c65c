/** What would be if: a number within the range a site may set, or a record that is not there; and what that changes. */

import { field, h } from "./dom.js";
import { choose } from "./results.js";
import { evaluate, isWhatIf, state } from "./state.js";
import { t } from "./words.js";

const adjustable = () => state.about.numbers.filter((known) => known.range && known.range[0] < known.range[1]);

/** The names of all numbers that what was said stands on. */
function used(nodes, found = new Set()) {
  for (const node of nodes) {
    if (node.kind === "number") found.add(node.name);
    used(node.inputs ?? [], found);
  }
  return found;
}

/** Put a number on the bench, at its value, and go there. */
export function tryNumber(name) {
  state.numbers[name] ??= state.about.numbers.find((known) => known.name === name).value;
  choose("what_if");
  document.getElementById(`number-${name}`)?.focus();
}

export function whatIf() {
  if (!state.base) return h("p", { class: "empty" }, t("nothing_decided"));
  return [
    h("p", { class: "hint" }, t("what_if_why")),
    isWhatIf()
      ? h(
          "section",
          { class: "group" },
          h("h2", {}, t("what_changes")),
          differences(state.result.changes) ?? h("p", { class: "empty" }, t("nothing_decided")),
        )
      : null,
    h("section", { class: "group" }, h("h2", {}, t("numbers")), Object.keys(state.numbers).map(number), adding()),
    h("section", { class: "group" }, h("h2", {}, t("on_record")), h("p", { class: "hint" }, t("untick")), records()),
  ];
}

function adding() {
  const here = used(state.base.advice.map((entry) => entry.why));
  const free = adjustable().filter((known) => !(known.name in state.numbers));
  const options = (members) =>
    members.map((known) => h("option", { value: known.name }, `${known.means} (${known.value} ${known.unit})`));
  const list = h(
    "select",
    { id: "add-number" },
    h("option", { value: "" }, "–"),
    h("optgroup", { label: t("numbers_used") }, options(free.filter((known) => here.has(known.name)))),
    h("optgroup", { label: t("numbers_other") }, options(free.filter((known) => !here.has(known.name)))),
  );
  list.addEventListener("change", () => list.value && tryNumber(list.value));
  return field(t("add_number"), list);
}

function number(name) {
  const known = state.about.numbers.find((entry) => entry.name === name);
  const [low, high] = known.range;
  const step = Number.isInteger(low) && Number.isInteger(high) && Number.isInteger(known.value) ? 1 : 0.01 * (high - low);
  const label = { "aria-label": known.means };
  const range = { min: low, max: high, step: Number(step.toPrecision(1)), value: String(state.numbers[name]) };
  const slider = h("input", {
    type: "range",
    ...range,
    ...label,
    id: `number-${name}`,
    oninput: () => (exact.value = slider.value),
    onchange: () => set(slider.value),
  });
  const exact = h("input", {
    type: "number",
    ...range,
    step: "any",
    required: true,
    ...label,
    id: `exact-${name}`,
    onchange: () => exact.reportValidity() && set(exact.value),
  });
  function set(value) {
    state.numbers[name] = Number(value);
    evaluate();
  }
  function remove() {
    delete state.numbers[name];
    document.getElementById("add-number").focus();
    evaluate();
  }
  return h(
    "div",
    { class: "number-row" },
    h("p", {}, h("strong", {}, known.means), " ", h("code", { class: "soft" }, name)),
    h(
      "div",
      { class: "row" },
      h("span", { class: "soft" }, String(low)),
      slider,
      h("span", { class: "soft" }, String(high)),
      exact,
      h("span", {}, known.unit),
      h("span", { class: "soft" }, t("shipped", { value: known.value })),
      h("button", { type: "button", class: "quiet", onclick: remove }, t("remove")),
    ),
  );
}

function records() {
  const byReference = new Map();
  for (const record of state.base.records)
    byReference.set(record.reference, [...(byReference.get(record.reference) ?? []), record]);
  const rows = [...byReference].map(([reference, found], place) => {
    const tick = h("input", {
      type: "checkbox",
      id: `record-${place}`,
      checked: !state.hidden.has(reference),
      onchange: () => flip(reference, tick.checked),
    });
    return h(
      "label",
      {},
      tick,
      h(
        "span",
        {},
        h("strong", {}, [...new Set(found.map((record) => record.title))].join(", ")),
        " ",
        h("span", { class: "soft" }, found[0].value),
      ),
    );
  });
  return h("fieldset", { class: "ticks" }, h("legend", { class: "visually-hidden" }, t("on_record")), rows);
}

function flip(reference, shown) {
  if (shown) state.hidden.delete(reference);
  else state.hidden.add(reference);
  evaluate();
}

/** Which advice comes, goes or is said otherwise, and the facts behind it; null where nothing could be compared. */
export function differences(changes) {
  if (!changes) return null;
  const advice = changes.advice.map((entry) =>
    h(
      "li",
      { class: entry.change },
      h("span", { class: `chip ${entry.change}` }, t(`change_${entry.change}`)),
      h(
        "div",
        {},
        h("strong", {}, entry.title),
        entry.change === "changed" || entry.change === "gone" ? h("del", {}, entry.before || t("held_back")) : null,
        entry.change !== "gone" ? h(entry.change === "same" ? "span" : "ins", {}, entry.after || t("held_back")) : null,
      ),
    ),
  );
  return [
    advice.length ? h("ul", { class: "differences" }, advice) : h("p", { class: "hint" }, t("no_advice_either_way")),
    changes.facts.length
      ? h(
          "details",
          { class: "why" },
          h("summary", {}, t("facts_differ", { count: changes.facts.length })),
          h(
            "dl",
            { class: "facts" },
            changes.facts.map((fact) => [
              h("dt", {}, h("code", {}, fact.name)),
              h("dd", {}, h("del", {}, fact.before), " ", h("ins", {}, fact.after)),
            ]),
          ),
        )
      : null,
  ];
}
