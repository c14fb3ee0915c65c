/** The pictures of a course, drawn by Observable Plot: shapes and dashes tell things apart, not colour alone. */

/* global Plot */
import { h } from "./dom.js";
import { apart, clip, legible } from "./labels.js";
import { listed, spoken, t } from "./words.js";

const DASHES = { low_below: null, grey_up_to: "2 4", high_above: "9 4", very_high_above: "9 4 2 4" };
const LEFT = 44;
const RIGHT = 84;
const [HEIGHT, TOP, BOTTOM] = [168, 16, 18];
const DAY = 864e5;
const day = (text) => new Date(`${text}T00:00:00Z`);

/** From the first to the last day there is to show, with room on both sides. */
function span(course) {
  const days = [
    course.today,
    ...course.panels.flatMap((panel) => panel.results.map((one) => one.day)),
    ...course.treatments.flatMap((one) => [one.start, one.end]),
    ...course.due.map((one) => one.on),
  ]
    .filter(Boolean)
    .map((text) => day(text).getTime());
  const last = Math.max(...days);
  const first = Math.max(Math.min(...days), last - 6 * 365 * DAY); // what is older runs off the left edge
  const room = Math.max((last - first) * 0.05, 20 * DAY);
  return [new Date(first - room), new Date(last + room)];
}

/** A picture of each analyte in each unit, and one of the medicines, all over the same days. */
export function pictures(course, width) {
  const domain = span(course);
  const graphs = course.panels.map((panel) => {
    const unit = panel.unit.replace(/^ug\b/, "µg");
    return figure(panel.title, [unit, beyond(panel, domain)], said(panel), graph(panel, course, domain, width));
  });
  const lanes = course.treatments.length
    ? [figure(t("treatments"), [], course.treatments.map(inWords).join("; "), timeline(course, domain, width))]
    : [];
  return [...graphs, ...lanes];
}

/** Results before the first day that is drawn: an old low one still tells something. */
function beyond(panel, domain) {
  const earlier = panel.results.filter((one) => day(one.day) < domain[0]);
  const shown = earlier.slice(-3).map((one) => `${one.reported} (${one.written})`);
  const more = earlier.length - shown.length;
  return earlier.length
    ? [t("earlier"), listed(shown), more ? t("earlier_more", { count: more }) : ""].filter(Boolean).join(" ")
    : "";
}

function figure(title, beside, text, svg) {
  for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label"); // the picture is told as a whole
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${title}: ${text}`);
  return h(
    "figure",
    {},
    h(
      "figcaption",
      {},
      h("strong", {}, title),
      beside.filter(Boolean).map((said) => h("span", { class: "soft" }, said)),
    ),
    svg,
  );
}

function said(panel) {
  const results = panel.results.map((one) => `${one.written} ${one.reported}`).join(", ");
  const limits = panel.thresholds.map((limit) => `${t(`threshold_${limit.kind}`)} ${limit.value}`).join(", ");
  return limits ? `${results}. ${limits}` : results;
}

/** Days, months or years, whichever leave room for their names; a year stands under its first month. */
function axis(domain, width) {
  const months = (domain[1] - domain[0]) / (30.4 * DAY);
  const room = (width - LEFT - RIGHT) / 62;
  const step = [1, 3, 6].find((count) => months / count <= room);
  const years = Math.ceil(months / 12 / ((width - LEFT - RIGHT) / 48)); // so many years apart their names do not touch
  const wanted = !step ? (years === 1 ? "year" : `${years} years`) : months < 2 ? "2 weeks" : `${step} months`;
  const part = (options) => (at) => at.toLocaleDateString(spoken(), { timeZone: "UTC", ...options });
  const year = part({ year: "numeric" });
  const near = months < 2 ? part({ month: "short", day: "numeric" }) : part({ month: "short" });
  let before = "";
  const tickFormat = (at) => {
    if (!step) return year(at);
    const first = year(at) !== before;
    before = year(at);
    return first ? `${near(at)}\n${year(at)}` : near(at);
  };
  return { type: "utc", domain, axis: "bottom", label: null, ticks: wanted, tickSize: 4, tickFormat };
}

const common = (width) => ({ width, marginLeft: LEFT, marginRight: RIGHT, className: "course-plot" });

/** The thresholds that are in sight: the first of an analyte always, one far above every result not. */
export function drawn(panel) {
  const highest = Math.max(...panel.results.map((one) => one.value));
  return panel.thresholds.filter(
    (limit) =>
      !["high_above", "very_high_above"].includes(limit.kind) || limit === panel.thresholds[0] || highest > 0.8 * limit.value,
  );
}

function graph(panel, course, domain, width) {
  const values = panel.results.map((one) => one.value);
  const highest = Math.max(...values);
  const limits = drawn(panel);
  const top = Math.max(highest, ...limits.map((limit) => limit.value)) * 1.18;
  const grey = limits.find((limit) => limit.kind === "grey_up_to");
  const low = limits.find((limit) => limit.kind === "low_below");
  const points = panel.results.map((one) => ({ ...one, at: day(one.day) })).filter((one) => one.at >= domain[0]);
  const exact = points.filter((one) => !one.bound);
  const due = course.due.filter((one) => one.concept === panel.concept && one.state !== "now").slice(0, 1);
  const crowded = width / Math.max(points.length, 1) < 60;
  const across = (at) => LEFT + ((at - domain[0]) / (domain[1] - domain[0])) * (width - LEFT - RIGHT);
  const down = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
  return Plot.plot({
    ...common(width),
    height: HEIGHT,
    marginTop: TOP,
    marginBottom: BOTTOM,
    x: axis(domain, width),
    y: { domain: [0, top], label: null, ticks: 4, tickSize: 0 },
    marks: [
      Plot.gridY({ ticks: 4, stroke: "var(--line)", strokeOpacity: 1 }),
      grey && low
        ? Plot.rect([0], { x1: domain[0], x2: domain[1], y1: low.value, y2: grey.value, fill: "var(--grey-zone)" })
        : null,
      limits.map((limit) =>
        Plot.ruleY([limit.value], { stroke: "var(--limit)", strokeWidth: 1.25, strokeDasharray: DASHES[limit.kind] }),
      ),
      apart(limits, down).map(([limit, dy]) =>
        Plot.text([limit], {
          x: domain[1],
          y: "value",
          text: (one) => `${t(`threshold_${one.kind}`)} ${written(one.value)}${one.mark}`,
          textAnchor: "start",
          dx: 7,
          dy,
          fill: "var(--limit)",
          fontSize: 11.5,
        }),
      ),
      today(course),
      Plot.ruleX(due, { x: (one) => day(one.on), stroke: "var(--due)", strokeWidth: 1.5, strokeDasharray: "5 4" }),
      Plot.text(due, {
        x: (one) => day(one.on),
        y: top,
        text: (one) => t(`mark_${one.state}`),
        dy: -8,
        fill: "var(--due)",
        fontSize: 11,
        fontWeight: 600,
        textAnchor: "middle",
      }),
      Plot.line(exact, { x: "at", y: "value", stroke: "var(--series)", strokeWidth: 2 }),
      Plot.text(legible(points, across, down), {
        x: "at",
        y: "value",
        text: (one) => one.reported.split(" ")[0],
        dy: -12,
        fill: "var(--ink)",
        stroke: "var(--surface)",
        strokeWidth: 4,
        fontSize: 12,
        fontWeight: 600,
      }),
      Plot.dot(points, {
        x: "at",
        y: "value",
        symbol: (one) => (one.bound === "below" ? "triangle" : one.bound === "above" ? "square" : "circle"),
        r: crowded ? 3 : 4.5,
        fill: "var(--series)",
        stroke: "var(--surface)",
        strokeWidth: crowded ? 0.75 : 1.5,
        title: (one) => `${one.written}: ${one.reported}`,
      }),
    ],
  });
}

const written = (value) => value.toLocaleString("en", { maximumFractionDigits: 3 });

function today(course) {
  return Plot.ruleX([day(course.today)], { stroke: "var(--soft)", strokeWidth: 1 });
}

const ROW = 40;

function timeline(course, domain, width) {
  const bars = course.treatments.map((one, lane) => {
    const start = one.start ? day(one.start) : domain[0];
    const end = one.end ? day(one.end) : one.current ? day(course.today) : start;
    return {
      ...one,
      lane,
      from: start < domain[0] ? domain[0] : start,
      to: end - start < 5 * DAY ? new Date(start.getTime() + 5 * DAY) : end,
      treats: one.concept.startsWith("b12"),
      known: Boolean(one.start && (one.end || one.current)),
    };
  });
  const half = (side) => (one) => one.lane + side;
  return Plot.plot({
    ...common(width),
    height: ROW * bars.length + 40,
    marginTop: 18,
    marginBottom: 22,
    x: axis(domain, width),
    y: { domain: [bars.length - 0.5, -0.5], axis: null },
    marks: [
      today(course),
      Plot.text([t("today_mark")], { x: day(course.today), y: -0.5, dy: -8, fill: "var(--soft)", fontSize: 11 }),
      [true, false].map((known) =>
        Plot.rect(
          bars.filter((one) => one.known === known),
          {
            x1: "from",
            x2: "to",
            y1: half(0.1),
            y2: half(0.34),
            fill: (one) => (one.treats ? "var(--series)" : "var(--other)"),
            fillOpacity: known ? 1 : 0.25,
            stroke: (one) => (one.treats ? "var(--series)" : "var(--soft)"),
            strokeDasharray: known ? null : "3 3",
            rx: 2,
            title: inWords,
          },
        ),
      ),
      Plot.text(
        bars.filter((one) => one.current),
        { x: "to", y: half(0.22), text: () => "▸", dx: 5, fill: "var(--soft)", fontSize: 13 },
      ),
      Plot.text(bars, {
        x: () => domain[0],
        y: half(-0.16),
        text: (one) => clip(label(one), width - LEFT),
        textAnchor: "start",
        fill: "var(--ink)",
        stroke: "var(--surface)",
        strokeWidth: 4,
        fontSize: 12,
        fontWeight: (one) => (one.treats ? 600 : 400),
      }),
    ],
  });
}

/** What is unknown of a period is said where it is drawn: a bar has to begin and end somewhere. */
function label(one) {
  const open = [one.start ? null : t("start_unknown"), one.end || one.current ? null : t("end_unknown")].filter(Boolean);
  return [...open.map((said) => `(${said})`), one.dose, one.dose ? one.route : null, one.name].filter(Boolean).join(" · ");
}

function inWords(one) {
  const from = one.start ?? "?";
  return `${label(one)}: ${from} – ${one.end ?? (one.current ? t("ongoing") : "?")}`;
}
