/** A trace as a tree: from what was concluded down to resources and signed numbers. Arrow keys walk it. */

import { h, unique } from "./dom.js";
import { showResource } from "./resource.js";
import { state } from "./state.js";
import { t } from "./words.js";
import { tryNumber } from "./whatif.js";

const below = new WeakMap(); // what stands under an item: drawn when it is first opened

/** A fact stands on the same wherever it is mentioned; the trace tells it once. */
function unfold(nodes, told = new Map()) {
  for (const node of nodes) {
    if (node.inputs) told.set(node.name, node.inputs);
    unfold(node.inputs ?? [], told);
  }
  return told;
}

/** `nodes`: what stands at the root. Branches in which nothing was found are gathered in one that can be opened. */
export function tree(nodes, label) {
  const told = unfold(nodes);
  const list = h("ul", { role: "tree", class: "tree", "aria-label": label, onkeydown: walk }, branches(nodes, told));
  const first = list.querySelector("[role=treeitem]");
  if (first) first.tabIndex = 0;
  list.addEventListener("focusin", (event) => {
    const item = event.target.closest("[role=treeitem]");
    if (!item) return;
    for (const other of list.querySelectorAll("[role=treeitem][tabindex='0']")) other.tabIndex = -1;
    item.tabIndex = 0;
    for (const control of list.querySelectorAll("a, button")) control.tabIndex = item.contains(control) ? 0 : -1;
  });
  return list;
}

function branches(nodes, told) {
  const branch = (node) => item(row(node), node.inputs ?? told.get(node.name) ?? [], node.kind, told);
  const barren = nodes.filter((node) => node.barren);
  const rest = nodes.filter((node) => !node.barren && node.name !== "today").map(branch);
  return barren.length > 1 ? [...rest, folded(barren, told)] : [...rest, ...barren.map(branch)];
}

function folded(nodes, told) {
  const names = nodes.map((node) => (node.kind === "chart" ? node.means : node.name)).join(", ");
  return item(
    [
      h("span", { class: "line" }, h("span", { class: "value" }, t("nothing_found", { count: nodes.length }))),
      h("span", { class: "means names" }, names),
    ],
    nodes.map((node) => ({ ...node, barren: false })), // or they would be gathered again
    "barren",
    told,
  );
}

function item(content, children, kind, told) {
  const node = h(
    "div",
    { role: "treeitem", tabindex: "-1", class: "node", "aria-expanded": children.length ? "false" : null },
    content,
  );
  node.addEventListener("click", (event) => event.target.closest("a, button") || toggle(node));
  below.set(node, () => branches(children, told));
  return h("li", { role: "none", class: kind }, node);
}

function row(node) {
  const title = node.kind === "chart" ? h("span", { class: "name" }, node.means) : h("code", { class: "name" }, node.name);
  const line = h("span", { class: "line" }, title, h("span", { class: "value" }, node.value));
  const beside =
    node.kind === "number"
      ? number(node)
      : node.kind === "chart"
        ? references(node)
        : h("span", { class: "means" }, node.means);
  return [line, beside];
}

function references(node) {
  const found = node.source ?? [];
  if (!found.length) return null;
  return h(
    "span",
    { class: "references" },
    found.map((reference) =>
      h("button", { type: "button", class: "link", tabindex: "-1", onclick: () => showResource(reference) }, reference),
    ),
  );
}

/** A signed number: since when, on whose authority, how well it was checked, and whether a site may set it. */
function number(node) {
  const known = state.about.numbers.find((entry) => entry.name === node.name);
  if (!known) return h("span", { class: "means" }, (node.source ?? []).join(" · "));
  const sources = known.cite.map((cited) =>
    cited.url
      ? h("a", { href: cited.url, target: "_blank", rel: "noreferrer", title: cited.title, tabindex: "-1" }, cited.label)
      : h("span", { title: cited.title }, cited.label),
  );
  return [
    h("span", { class: "means" }, known.means),
    h(
      "span",
      { class: "references" },
      h("span", {}, known.site ? t("set_by_site", { reason: known.site }) : t("since", { day: known.since })),
      sources,
      h("span", { class: `standing ${known.checked}` }, t(`checked_${known.checked}`)),
      known.range && known.range[0] < known.range[1]
        ? h("button", { type: "button", class: "link", tabindex: "-1", onclick: () => tryNumber(node.name) }, t("try_another"))
        : null,
    ),
  ];
}

function toggle(node, open = node.getAttribute("aria-expanded") !== "true") {
  if (!node.hasAttribute("aria-expanded")) return;
  if (open && !node.nextElementSibling) {
    const group = h("ul", { role: "group", id: unique("group") }, below.get(node)());
    node.after(group);
    node.setAttribute("aria-owns", group.id);
  }
  node.setAttribute("aria-expanded", String(open));
}

function walk(event) {
  const here = event.target;
  if (here.getAttribute("role") !== "treeitem") return;
  const visible = [...event.currentTarget.querySelectorAll("[role=treeitem]")].filter((other) => other.offsetParent !== null);
  const at = visible.indexOf(here);
  const expanded = here.getAttribute("aria-expanded");
  const go = {
    ArrowDown: () => visible[at + 1]?.focus(),
    ArrowUp: () => visible[at - 1]?.focus(),
    Home: () => visible[0].focus(),
    End: () => visible.at(-1).focus(),
    ArrowRight: () => (expanded === "false" ? toggle(here, true) : expanded === "true" ? visible[at + 1].focus() : null),
    ArrowLeft: () => (expanded === "true" ? toggle(here, false) : here.closest("[role=group]")?.previousElementSibling.focus()),
    Enter: () => (expanded === null ? here.querySelector("a, button")?.click() : toggle(here)),
  }[event.key];
  if (!go) return;
  event.preventDefault();
  event.stopPropagation();
  go();
}
