/** The course of treatment: results over time with their thresholds, medicines below, and the days that are due. */

import { table } from "./data.js";
import { h } from "./dom.js";
import { drawn, pictures } from "./plots.js";
import { showResource } from "./resource.js";
import { listed, t } from "./words.js";

export function coursePanel(result) {
  const course = result.decided?.course;
  if (!course) return h("p", { class: "empty" }, t("nothing_decided"));
  if (!course.panels.length && !course.treatments.length)
    return h("div", { class: "empty" }, h("p", { class: "large" }, t("no_course")), h("p", {}, t("no_course_why")));
  const picture = h("div", { class: "picture" });
  let before = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width > 0 && width !== before) picture.replaceChildren(...pictures(course, (before = width)));
  }).observe(picture);
  return [
    h(
      "div",
      { class: "line-of head" },
      next(course),
      h("button", { type: "button", class: "quiet print", onclick: () => print() }, t("print")),
    ),
    picture,
    legend(course),
    h("details", { class: "why tables" }, h("summary", {}, t("as_table")), tables(course)),
  ];
}

/** What is due, in words, by day: what is overdue first. */
function next(course) {
  const due = [...course.due].sort((one, other) => one.on.localeCompare(other.on));
  if (!due.length) return h("p", { class: "next" }, t("nothing_due"));
  const together = Map.groupBy(due, (entry) => t(`due_${entry.state}`, { day: entry.on }));
  const lines = [...together].map(([when, entries]) =>
    h("p", { class: "next" }, h("strong", {}, when), " ", listed(entries.map((entry) => entry.what))),
  );
  return h("div", {}, lines);
}

/** What the lines and shapes mean, in words and by shape, not by colour alone. */
function legend(course) {
  const bounded = course.panels.some((panel) => panel.results.some((one) => one.bound));
  const marked = course.panels.some((panel) => drawn(panel).some((limit) => limit.mark));
  const entries = [
    t("legend_points"),
    bounded ? t("legend_bounds") : null,
    t("legend_dashes"),
    course.treatments.length ? t("legend_bars") : null,
    marked ? t("legend_marks") : null,
  ];
  return h("p", { class: "hint legend" }, entries.filter(Boolean).join(" "));
}

function tables(course) {
  const link = (reference) => h("button", { type: "button", class: "link", onclick: () => showResource(reference) }, reference);
  const results = course.panels.flatMap((panel) =>
    panel.results.map((one) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, panel.title),
        h("td", {}, one.written),
        h("td", {}, one.reported),
        h("td", {}, link(one.reference)),
      ),
    ),
  );
  const medicines = course.treatments.map((one) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, one.name),
      h("td", {}, one.start ?? t("start_unknown")),
      h("td", {}, one.end ?? (one.current ? t("ongoing") : t("end_unknown"))),
      h("td", {}, [one.dose, one.route, one.dosage].filter(Boolean).join(" · ") || "–"),
      h("td", {}, link(one.reference)),
    ),
  );
  const due = course.due.map((one) =>
    h("tr", {}, h("th", { scope: "row" }, one.what), h("td", {}, one.on), h("td", {}, t(`mark_${one.state}`))),
  );
  return [
    results.length ? table(t("results"), ["analyte", "day", "value", "resource"], results) : null,
    medicines.length ? table(t("treatments"), ["medicine", "from", "to", "dose", "resource"], medicines) : null,
    due.length ? table(t("due"), ["what", "day", "how"], due) : null,
  ];
}
