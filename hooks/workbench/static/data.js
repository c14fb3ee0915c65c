/** What came of the data: how each query ended, what was odd, what could not be assessed, and every record that was read. */

import { h } from "./dom.js";
import { showResource } from "./resource.js";
import { t } from "./words.js";

export function data(result) {
  const { decided } = result;
  if (!decided) return h("p", { class: "empty" }, t("nothing_decided"));
  return [
    section(
      "gaps",
      decided.gaps.length,
      h(
        "ul",
        { class: "notes" },
        decided.gaps.map((gap) =>
          h("li", {}, h("strong", {}, gap.title), " ", h("span", { class: "soft" }, gap.because.join(" · "))),
        ),
      ),
    ),
    section("notes", decided.notes.length, h("ul", { class: "notes" }, decided.notes.map(note))),
    section("prefetch", decided.queries.length, prefetch(decided.queries)),
    section("records", decided.records.length, records(decided.records)),
  ];
}

function section(name, count, content) {
  return h(
    "section",
    { class: "group" },
    h("h2", {}, t(name), h("span", { class: "count" }, String(count))),
    count ? content : h("p", { class: "hint" }, t(`${name}_none`)),
  );
}

function note(entry) {
  const where = entry.resource.includes("/") ? link(entry.resource) : h("code", {}, entry.resource);
  return h("li", {}, entry.title ? [h("strong", {}, entry.title), " "] : null, entry.text, " ", where);
}

function link(reference) {
  return h("button", { type: "button", class: "link", onclick: () => showResource(reference) }, reference);
}

function prefetch(queries) {
  const good = ["data", "null", "empty"];
  const rows = queries.map((query) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, query.key), " ", h("span", { class: "soft" }, query.title)),
      h(
        "td",
        {},
        h(
          "span",
          { class: good.includes(query.state) ? "state good" : query.required ? "state bad" : "state open" },
          t(`state_${query.state}`),
        ),
      ),
      h("td", { class: "number" }, query.count ? String(query.count) : "–"),
      h("td", {}, query.ended === null ? "–" : t(`ended_${query.ended.replace(" ", "_")}`)),
      h("td", {}, query.required ? t("required") : t("optional")),
    ),
  );
  return table(t("prefetch"), ["key", "came", "resources", "query", "need"], rows);
}

function records(all) {
  const rows = all.map((record) =>
    h("tr", {}, h("th", { scope: "row" }, record.title), h("td", {}, record.value), h("td", {}, link(record.reference))),
  );
  return table(t("records"), ["counts_as", "value", "resource"], rows);
}

export function table(caption, columns, rows) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "visually-hidden" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((name) => h("th", { scope: "col" }, t(`column_${name}`))),
        ),
      ),
      h("tbody", {}, rows),
    ),
  );
}
