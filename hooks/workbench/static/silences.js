/** Why the other rules of the service said nothing. */

import { h } from "./dom.js";
import { tree } from "./tree.js";
import { t } from "./words.js";

const ORDER = ["failed", "stopped", "condition", "scope"];

export function silences(result) {
  if (!result.decided) return h("p", { class: "empty" }, t("nothing_decided"));
  const all = result.decided.silences;
  return ORDER.map((reason) => all.filter((silence) => silence.reason === reason))
    .filter((group) => group.length)
    .map(group);
}

function group(members) {
  const { reason } = members[0];
  return h(
    "section",
    { class: "group" },
    h("h2", {}, t(`silent_${reason}`), h("span", { class: "count" }, String(members.length))),
    h("p", { class: "hint" }, t(`silent_${reason}_why`)),
    members.map(one),
  );
}

function one(silence) {
  const holder = h("div", { class: "why-tree" });
  const details = h(
    "details",
    { class: "why", ontoggle: open },
    h("summary", {}, silence.title, " ", h("code", { class: "soft" }, silence.rule)),
    holder,
  );
  function open() {
    if (details.open && !holder.firstChild) holder.append(tree(silence.inputs, silence.title));
  }
  return details;
}
