/** The left side: whose request it is, and as whom it is asked. */

import { field, h, select } from "./dom.js";
import { own } from "./own.js";
import { accept, changed, evaluate, openFixture, state } from "./state.js";
import { listed, t } from "./words.js";

const place = () => document.getElementById("intake");

export function drawIntake() {
  const open = matchMedia("(min-width: 60rem)").matches || place().querySelector("details")?.open;
  const panel = h(
    "details",
    { class: "choices", open },
    h("summary", {}, t("choose"), h("span", { class: "soft", id: "chosen" })),
    h(
      "section",
      { "aria-labelledby": "whose" },
      h("h2", { id: "whose" }, t("request")),
      origins(),
      state.origin === "example" ? examples() : own(),
      h("p", { class: "hint", id: "made", role: "status", hidden: true }),
    ),
    h("section", { "aria-labelledby": "asked-as" }, h("h2", { id: "asked-as" }, t("asked_as")), settings()),
  );
  place().replaceChildren(panel);
  markChosen();
  tellMade();
}

/** Say of a request that was made of a patient's data what stayed out of it; and show it where requests are pasted. */
export function tellMade() {
  const said = document.getElementById("made");
  const left = Object.entries(state.notAskedFor ?? {}).map(([kind, count]) => `${count} ${kind}`);
  said.hidden = state.notAskedFor === null;
  said.textContent = said.hidden
    ? ""
    : [t("bundle_taken"), left.length ? t("not_asked_for", { what: listed(left) }) : ""].join(" ");
  const text = place().querySelector("textarea");
  const shown = state.draft ?? state.text;
  if (text && text.value !== shown) text.value = shown;
}

function origins() {
  const options = ["example", "own"].map((origin) =>
    h(
      "label",
      {},
      h("input", {
        type: "radio",
        name: "origin",
        value: origin,
        checked: state.origin === origin,
        onchange: () => change(origin),
      }),
      h("span", {}, t(`origin_${origin}`)),
    ),
  );
  async function change(origin) {
    state.origin = origin;
    drawIntake();
    place().querySelector(`input[value=${origin}]`).focus();
    if (origin === "example") await openFixture(state.fixture); // what is shown is what is marked
    drawSettings();
  }
  return h("fieldset", { class: "segmented wide" }, h("legend", { class: "visually-hidden" }, t("origin")), options);
}

function examples() {
  const list = h("fieldset", { class: "examples" }, h("legend", { class: "visually-hidden" }, t("examples")));
  const none = h("p", { class: "hint", hidden: true }, t("no_example"));
  const filter = h("input", {
    type: "search",
    placeholder: t("filter"),
    "aria-label": t("filter"),
    autocomplete: "off",
    oninput: sift,
  });
  list.append(...state.about.fixtures.map(example));
  function sift() {
    const wanted = filter.value.trim().toLowerCase();
    let found = 0;
    for (const item of list.querySelectorAll("label")) {
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
      found += item.hidden ? 0 : 1;
    }
    none.hidden = found > 0;
  }
  return h("div", {}, filter, list, none);
}

function example(fixture) {
  const radio = h("input", {
    type: "radio",
    name: "fixture",
    value: fixture.name,
    checked: fixture.name === state.fixture,
    onchange: take,
  });
  async function take() {
    await openFixture(fixture.name);
    drawSettings();
  }
  const hook = fixture.hook === "patient-view" ? null : h("span", { class: "hook" }, fixture.hook);
  return h(
    "label",
    { class: "example" },
    radio,
    h(
      "span",
      {},
      h("span", { class: "example-title" }, fixture.title),
      h("span", { class: "example-shows" }, fixture.shows),
      hook,
    ),
  );
}

/** Mark the example that is on the bench, and bring it into sight. */
export function markChosen() {
  const known = state.about.fixtures.find((fixture) => fixture.name === state.fixture);
  document.getElementById("chosen").textContent = state.origin === "example" ? known.title : t("origin_own");
  const radio = place().querySelector(`input[name=fixture][value="${state.fixture}"]`);
  if (!radio) return;
  radio.checked = true;
  const list = radio.closest(".examples");
  const item = radio.closest("label");
  if (item.offsetTop < list.scrollTop || item.offsetTop + item.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = item.offsetTop - list.clientHeight / 3;
  }
}

function settings() {
  return h("div", { id: "settings" }, controls());
}

export function drawSettings() {
  document.getElementById("settings").replaceChildren(...controls());
}

function controls() {
  const { about } = state;
  const client = about.clients.find((known) => known.name === state.client);
  const day = h("input", {
    type: "date",
    min: "1900-01-01",
    max: "2200-12-31",
    value: state.today || about.today,
    onchange: () => day.checkValidity() && set("today", day.value === about.today ? "" : day.value), // a year being typed is none yet
  });
  return [
    field(
      t("service"),
      select(
        about.services.map((known) => [known.id, `${known.hook} · ${known.id}`]),
        state.service,
        (value) => set("service", value),
      ),
    ),
    field(
      t("client"),
      select(
        about.clients.map((known) => [known.name, known.means]),
        state.client,
        (value) => set("client", value, true),
      ),
      style(client),
    ),
    h(
      "div",
      { class: "pair" },
      field(
        t("card_language"),
        select(
          [
            ["page", t("as_page")],
            ["client", t("as_client")],
            ["en", "English"],
            ["zh-CN", "中文"],
          ],
          state.cards,
          (value) => set("cards", value),
        ),
      ),
      field(t("today"), day),
    ),
  ];
}

async function set(name, value, redraw = false) {
  if (state.draft?.trim()) accept(state.draft); // what is seen is what is asked about
  state[name] = value;
  document.querySelector("#settings select").value = state.service;
  if (redraw) {
    drawSettings();
    document.querySelectorAll("#settings select")[1].focus();
  }
  changed("setting");
  await evaluate();
}

/** How a client shows cards, in one line. */
function style(client) {
  const { style: shown, mode } = client;
  const parts = [t(`detail_${shown.detail}`)];
  if (shown.summary_max < 139) parts.push(t("summary_max", { max: shown.summary_max }));
  parts.push(shown.actions.length === 0 ? t("no_suggestions") : shown.one_action ? t("one_action") : t("all_suggestions"));
  if (!shown.order_details) parts.push(t("no_order_details"));
  if (mode !== "visible") parts.push(t(`mode_${mode}`));
  return parts.join(" · ");
}
