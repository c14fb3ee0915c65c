/** What is chosen and what came of it: one object, and those who want to hear that it changed. */

import * as api from "./api.js";
import { spoken } from "./words.js";

export const state = {
  about: null,
  origin: "example", // or "own"
  fixture: "food-bound-deficiency",
  text: "",
  service: "",
  client: "",
  cards: "page", // the language of the cards: that of the page, of the client, or one by name
  today: "",
  numbers: {},
  hidden: new Set(),
  base: null, // what was decided without any what-if
  result: null,
  failure: null,
  busy: false,
  tab: "cards",
  told: new Map(), // what was reported of each card
};

const listeners = [];
export const onChange = (listener) => listeners.push(listener);
export const changed = (what) => listeners.forEach((listener) => listener(what));

export const isWhatIf = () => Object.keys(state.numbers).length > 0 || state.hidden.size > 0;

export function resetWhatIf() {
  state.numbers = {};
  state.hidden = new Set();
}

/** The request as JSON; null where it is none. */
export function request() {
  try {
    return JSON.parse(state.text);
  } catch {
    return null;
  }
}

/** The language asked for, as the Accept-Language header of a call would; null leaves it to the client. */
export const asked = () => (state.cards === "page" ? spoken() : state.cards === "client" ? null : state.cards);

export async function openFixture(name) {
  state.fixture = name;
  state.origin = "example";
  await attempt(async () => {
    accept(JSON.stringify(await api.fixture(name), null, 1));
  });
}

/** Take a request over, and with it the service of its hook. */
export function accept(text) {
  state.text = text;
  state.told = new Map();
  resetWhatIf();
  const hook = request()?.hook;
  const service = state.about.services.find((known) => known.hook === hook);
  if (service) state.service = service.id;
}

let latest = 0;

/** Ask the service. Only the answer to the latest question is shown. */
export async function evaluate() {
  if (!state.text.trim()) return;
  const ours = (latest += 1);
  const whatIf = isWhatIf();
  await attempt(async () => {
    const result = await api.evaluate({
      body: state.text,
      service: state.service,
      client: state.client,
      language: asked(),
      today: state.today || null,
      numbers: state.numbers,
      hidden: [...state.hidden],
    });
    if (ours !== latest) return;
    state.result = result;
    if (!whatIf) state.base = result.decided;
  });
}

async function attempt(step) {
  state.busy = true;
  changed("busy");
  try {
    await step();
    state.failure = null;
  } catch (failure) {
    if (!(failure instanceof api.Failure)) throw failure;
    state.failure = failure;
  } finally {
    state.busy = false;
    changed("result");
  }
}
