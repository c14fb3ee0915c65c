/** The cards as the client shows them, with buttons that report what became of them; under each the tree it stands on. */

import * as api from "./api.js";
import { field, h, rendered, select, unique } from "./dom.js";
import { showJson } from "./resource.js";
import { isWhatIf, state } from "./state.js";
import { tree } from "./tree.js";
import { listed, t } from "./words.js";

const SIGNS = { info: "i", warning: "!", critical: "!!" };

export function cards(result) {
  const answer = JSON.parse(result.answer);
  if (result.status !== 200) return refusal(result);
  const client = state.about.clients.find((known) => known.name === state.client);
  const advice = result.decided?.advice ?? [];
  const held = advice.filter((entry) => entry.held_back);
  return [
    h("p", { class: "caption" }, t("as_shown_by", { client: client.means })),
    answer.cards.length ? answer.cards.map((card, place) => shown(card, result, place)) : silence(result, client),
    held.length
      ? h(
          "section",
          { class: "held" },
          h("h2", {}, t("held_back")),
          h(
            "ul",
            {},
            held.map((entry) => h("li", {}, entry.title)),
          ),
        )
      : null,
  ];
}

function refusal(result) {
  return h(
    "section",
    { class: "notice bad" },
    h("h2", {}, t(`refused_${result.status}`)),
    h(
      "ul",
      {},
      result.issues.map((issue) => h("li", {}, issue.text, issue.where ? [" ", h("code", {}, issue.where)] : null)),
    ),
    h("p", { class: "hint" }, t("refused_why")),
  );
}

function silence(result, client) {
  if (client.mode !== "visible") return h("p", { class: "empty" }, t(`mode_${client.mode}_empty`));
  const gaps = result.decided?.gaps ?? [];
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "large" }, gaps.length ? t("no_card_gaps") : t("no_card")),
    h("p", {}, gaps.length ? t("no_card_gaps_why") : t("no_card_why")),
  );
}

function shown(card, result, place) {
  const name = unique("card");
  const advice = result.decided?.advice.find((entry) => entry.topic === card.source.topic.code && !entry.held_back);
  const change = result.changes?.advice.find((entry) => advice && entry.rule === advice.rule && entry.key === advice.key)?.change;
  return h(
    "article",
    { class: `card ${card.indicator}`, "aria-labelledby": name },
    h(
      "header",
      {},
      h(
        "p",
        { class: "row" },
        h(
          "span",
          { class: "indicator" },
          h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[card.indicator]),
          t(`indicator_${card.indicator}`),
        ),
        change && change !== "same" ? h("span", { class: `chip ${change}` }, t(`change_${change}`)) : null,
      ),
      h("h2", { id: name, lang: result.language }, card.summary),
    ),
    detail(result.cards[place], result.language),
    h(
      "p",
      { class: "source" },
      t("source"),
      " ",
      card.source.url
        ? h("a", { href: card.source.url, target: "_blank", rel: "noreferrer" }, card.source.label)
        : card.source.label,
      h("span", { class: "topic", lang: result.language }, card.source.topic.display),
    ),
    actions(card, result),
    advice ? why(advice) : null,
  );
}

/** The detail as it is rendered; a long one is folded, as a side panel would. */
function detail(said, lang) {
  const body =
    "text" in said
      ? h("div", { class: "detail plain", lang }, said.text)
      : h("div", { class: "detail", lang }, rendered(said.html));
  const button = h("button", { type: "button", class: "more quiet", "aria-expanded": "false", onclick: toggle }, t("show_all"));
  body.classList.add("folded");
  function toggle() {
    const folded = body.classList.toggle("folded");
    button.setAttribute("aria-expanded", String(!folded));
    button.textContent = folded ? t("show_all") : t("show_less");
  }
  return [body, button];
}

function why(advice) {
  const holder = h("div", { class: "why-tree" });
  const details = h(
    "details",
    { class: "why", ontoggle: open },
    h("summary", {}, t("why"), " ", h("span", { class: "soft" }, t("why_hint"))),
    holder,
  );
  function open() {
    if (details.open && !holder.firstChild) holder.append(tree(advice.why.inputs ?? [], advice.title));
  }
  return details;
}

/** Buttons that report what became of the card: one suggestion or, where the card says so, several; or why it was overridden. */
function actions(card, { service, language }) {
  const off = isWhatIf() ? t("no_feedback_what_if") : state.about.feedback ? "" : t("no_feedback");
  const status = h("p", { class: "told", role: "status", tabindex: "-1" });
  const several = card.selectionBehavior === "any";
  const buttons = new Map();
  const suggestions = (card.suggestions ?? []).map((suggestion) => {
    const { label, uuid, isRecommended } = suggestion;
    const take = () => report({ outcome: "accepted", acceptedSuggestions: [{ id: uuid }] }, { id: uuid, label });
    buttons.set(uuid, h("button", { type: "button", class: "accept", lang: language, onclick: take }, label));
    return h(
      "li",
      { class: isRecommended ? "recommended" : null },
      buttons.get(uuid),
      isRecommended ? h("span", { class: "chip" }, t("recommended")) : null,
      h(
        "details",
        { class: "effects" },
        h("summary", {}, t("what_it_does", { count: suggestion.actions.length })),
        h(
          "ul",
          {},
          suggestion.actions.map((action) => effect(action, language)),
        ),
      ),
    );
  });
  const override = card.overrideReasons?.length ? overriding(card, language, report) : null;
  const heading = suggestions.length === 1 ? "suggestion" : several ? "suggestions_any" : "suggestions_one";

  async function report(what, taken) {
    const told = state.told.get(card.uuid) ?? { accepted: [], reason: null };
    draw(true);
    try {
      await api.feedback(service, { card: card.uuid, outcomeTimestamp: new Date().toISOString(), ...what });
    } catch (failure) {
      draw(false);
      status.className = "told fault";
      status.textContent = [t("feedback_failed"), ...(failure.issues ?? [])].join(" ");
      return;
    }
    state.told.set(card.uuid, {
      accepted: [...told.accepted, ...(taken ? [taken] : [])],
      reason: what.overrideReason?.reason.code ?? null,
    });
    draw(false);
    status.focus(); // the button that was pressed is none any more
  }
  function draw(busy) {
    const told = state.told.get(card.uuid);
    for (const [uuid, button] of buttons) {
      const chosen = told?.accepted.some((one) => one.id === uuid) ?? false;
      button.classList.toggle("chosen", chosen);
      button.disabled = Boolean(off || busy || told?.reason || chosen || (told && !several));
    }
    for (const control of override?.querySelectorAll("button, select, input") ?? [])
      control.disabled = Boolean(off || busy || told);
    status.className = told ? "told done" : "told";
    if (told?.reason) {
      const label = card.overrideReasons.find((known) => known.code === told.reason)?.display ?? told.reason;
      status.textContent = t("overridden", { label });
    } else if (told) status.textContent = t("accepted", { label: listed(told.accepted.map((one) => one.label)) });
    else status.textContent = off;
  }
  draw(false);
  return h(
    "div",
    { class: "actions" },
    suggestions.length ? h("section", {}, h("h3", {}, t(heading)), h("ul", { class: "suggestions" }, suggestions)) : null,
    override,
    status,
  );
}

/** What an accepted suggestion has the client do. */
function effect(action, lang) {
  const what = action.resource
    ? h(
        "button",
        { type: "button", class: "link", onclick: () => showJson(action.resource, action.description) },
        action.resource.resourceType,
      )
    : h("code", {}, action.resourceId);
  return h(
    "li",
    {},
    h("span", { class: "effect" }, t(`action_${action.type}`)),
    " ",
    h("span", { lang }, action.description),
    " ",
    what,
  );
}

function overriding(card, lang, report) {
  let reason = card.overrideReasons[0].code;
  const comment = h("input", { type: "text", maxlength: 400, autocomplete: "off" });
  const reasons = select(
    card.overrideReasons.map((known) => [known.code, known.display]),
    reason,
    (value) => (reason = value),
  );
  reasons.lang = lang;
  function send() {
    const { system, display } = card.overrideReasons.find((known) => known.code === reason);
    const said = comment.value.trim();
    report({
      outcome: "overridden",
      overrideReason: { reason: { code: reason, system, display }, ...(said ? { userComment: said } : {}) },
    });
  }
  return h(
    "details",
    { class: "override" },
    h("summary", {}, t("override")),
    h(
      "div",
      { class: "row" },
      field(t("reason"), reasons),
      field(t("comment"), comment),
      h("button", { type: "button", onclick: send }, t("send_override")),
    ),
  );
}
