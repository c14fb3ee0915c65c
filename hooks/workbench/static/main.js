/** The page: its two switches, what is chosen on the left, and what came of it on the right. */

import * as api from "./api.js";
import { announce, h } from "./dom.js";
import { drawIntake, markChosen, tellMade } from "./intake.js";
import { takeDrops } from "./own.js";
import { drawResults, TABS } from "./results.js";
import { attempt, evaluate, onChange, openFixture, state } from "./state.js";
import { learn, speak, spoken, t } from "./words.js";

const THEMES = ["auto", "light", "dark"];

function remembered(name, otherwise) {
  try {
    return localStorage.getItem(`workbench.${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`workbench.${name}`, value);
  } catch {
    // a browser that keeps nothing forgets it at the next visit
  }
}

function wear(theme) {
  document.documentElement.dataset.theme = theme;
  remember("theme", theme);
}

function choice(name, label, options, chosen, choose) {
  const buttons = options.map(([value, text, lang]) =>
    h(
      "label",
      { lang },
      h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => choose(value) }),
      h("span", {}, text),
    ),
  );
  return h("fieldset", { class: "segmented" }, h("legend", { class: "visually-hidden" }, label), buttons);
}

function drawBar() {
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = t(element.dataset.word);
  document.title = `${t("title")} · Cobalamin CDS`;
  const { software, knowledge, site } = state.about;
  const digest = knowledge.split("+")[1] ?? knowledge;
  document
    .getElementById("standing")
    .replaceChildren(
      h("strong", {}, t("development_only")),
      h("span", {}, t("versions", { software, knowledge: digest })),
      site ? h("span", {}, site) : "",
    );
  const theme = document.documentElement.dataset.theme;
  document.getElementById("switches").replaceChildren(
    choice(
      "language",
      t("page_language"),
      [
        ["en", "EN", "en"],
        ["zh-CN", "中文", "zh-CN"],
      ],
      spoken(),
      talk,
    ),
    choice(
      "theme",
      t("theme"),
      THEMES.map((name) => [name, t(`theme_${name}`)]),
      theme,
      wear,
    ),
  );
}

/** Say everything in another language: the page itself, what it offers, and the cards where they follow the page. */
async function talk(language) {
  speak(language);
  remember("language", language);
  await attempt(async () => {
    state.about = await api.about(language);
  });
  drawBar();
  drawIntake();
  await evaluate();
  document.querySelector("input[name=language]:checked")?.focus();
}

/** What is looked at stands in the address, so that it can be kept and passed on. */
function fromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.get("language")) speak(given.get("language") === "zh-CN" ? "zh-CN" : "en");
  if (TABS.includes(given.get("tab"))) state.tab = given.get("tab");
  state.client = given.get("client") ?? "";
  if (given.get("origin") === "own") state.origin = "own"; // what was pasted is kept nowhere
  return given.get("fixture") ?? state.fixture;
}

function toAddress() {
  const whose = state.origin === "example" ? { fixture: state.fixture } : { origin: "own" };
  const shown = { ...whose, client: state.client, tab: state.tab };
  history.replaceState(null, "", `#${new URLSearchParams({ ...shown, language: spoken() })}`);
}

async function start() {
  wear(remembered("theme", "auto"));
  speak(remembered("language", navigator.language.startsWith("zh") ? "zh-CN" : "en"));
  const first = fromAddress();
  try {
    learn(await api.words());
    state.about = await api.about(spoken());
  } catch (failure) {
    state.failure = failure;
    drawResults();
    return;
  }
  if (!state.about.clients.some((client) => client.name === state.client)) state.client = state.about.clients[0].name;
  if (!state.about.fixtures.some((fixture) => fixture.name === first)) state.fixture = state.about.fixtures[0].name;
  else state.fixture = first;
  state.service = state.about.services[0].id;
  onChange((what) => {
    if (what === "request") return tellMade();
    drawResults();
    if (what !== "result") return;
    toAddress();
    markChosen();
    tellMade();
    if (state.result && !state.failure)
      announce(t("announced", { status: state.result.status, cards: state.result.cards.length }));
  });
  drawBar();
  drawIntake();
  takeDrops();
  if (state.origin === "own") return drawResults();
  await openFixture(state.fixture);
  drawIntake();
}

addEventListener("beforeprint", () => {
  for (const tables of document.querySelectorAll("details.tables")) tables.open = true;
});

addEventListener("hashchange", (event) => new URL(event.newURL).hash.includes("=") && location.reload()); // somebody wrote another address

start();
