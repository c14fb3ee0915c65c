/** What is chosen and what came of it: one object, and those who want to hear that it changed. */

import * as api from "./api.js";
import { spoken } from "./words.js";

export const state = {
  about: null,
  origin: "example", // or "own"
  fixture: "food-bound-deficiency",
  source: "", // what was brought: a request, or a patient's data
  draft: null, // what was typed since
  text: "", // the request that is sent
  notAskedFor: null, // where it was made of a patient's data: how many resources of which types no template asks for
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

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** The request as JSON; null where it is none. */
export const request = () => parsed(state.text);

/** The language asked for, as the Accept-Language header of a call would; null leaves it to the client. */
export const asked = () => (state.cards === "page" ? spoken() : state.cards === "client" ? null : state.cards);

/** Take over a request, and with it the service of its hook, or a patient's data. */
export function accept(text) {
  state.source = state.text = text;
  state.draft = null;
  state.notAskedFor = null;
  state.told = new Map();
  madeFor = "";
  resetWhatIf();
  const service = serviceOf(parsed(text)?.hook);
  if (service) state.service = service.id;
}

const serviceOf = (hook) => state.about.services.find((known) => known.hook === hook);
let madeFor = ""; // the service and client that the request was made for

/** The request for the service that is chosen: as it was brought, or made of the data that were. */
async function prepare(isLatest) {
  const content = parsed(state.source);
  const service = serviceOf(content?.hook);
  const isData = Array.isArray(content) || typeof content?.resourceType === "string";
  const wanted = isData || (service && service.id !== state.service) ? `${state.service} ${state.client}` : "";
  if (wanted === madeFor) return;
  const made = wanted ? await api.requestOf(state.source, state.service, state.client) : { request: state.source };
  if (!isLatest()) return;
  madeFor = wanted;
  state.text = made.request;
  state.notAskedFor = made.not_asked_for ?? null;
  changed("request");
}

let latest = 0;
let again = null;

/** Bring an example to the bench, and ask. */
export function openFixture(name) {
  state.fixture = name;
  state.origin = "example";
  return attempt(async (isLatest) => {
    const given = await api.fixture(name);
    if (!isLatest()) return;
    accept(JSON.stringify(given, null, 1));
    await ask(isLatest);
  });
}

/** Ask the service what is on the bench, as it is set now. */
export async function evaluate() {
  if (state.source.trim()) await attempt(ask);
  else changed("result");
}

/** Do once more what failed. */
export const retry = () => attempt(again);

async function ask(isLatest) {
  await prepare(isLatest);
  if (!isLatest()) return;
  const whatIf = isWhatIf();
  const result = await api.evaluate({
    body: state.text,
    service: state.service,
    client: state.client,
    language: asked(),
    page: spoken(),
    today: state.today || null,
    numbers: state.numbers,
    hidden: [...state.hidden],
  });
  if (!isLatest()) return;
  state.result = result;
  if (!whatIf) state.base = result.decided;
}

/** Do something that asks the service; of several only the latest counts. A failure is shown, and can be tried again. */
export async function attempt(step) {
  const ours = (latest += 1);
  const isLatest = () => ours === latest;
  again = step;
  state.busy = true;
  changed("busy");
  let failure = null;
  try {
    await step(isLatest);
  } catch (error) {
    if (!(error instanceof api.Failure)) throw error;
    failure = error;
  }
  if (!isLatest()) return;
  state.busy = false;
  state.failure = failure;
  changed("result");
}
