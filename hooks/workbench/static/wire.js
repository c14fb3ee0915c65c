/** The request and the answer as they stand on the wire. */

import { copyButton, h } from "./dom.js";
import { asked, isWhatIf, state } from "./state.js";
import { t } from "./words.js";

/** The command that sends this request to the service itself. What was pasted may hold any line, but not the one that ends it. */
export function curl(text, service, language) {
  const lines = new Set(text.split(/\r?\n|\r/));
  let end = "REQUEST";
  while (lines.has(end)) end += "_";
  const accept = language ? ` -H 'Accept-Language: ${language}'` : "";
  return `curl -s ${location.origin}/cds-services/${service} -H 'Content-Type: application/json'${accept} --data-binary @- <<'${end}'\n${text}\n${end}\n`;
}

export function wire(result) {
  const sent = result.sent ?? state.text;
  const { answer } = result;
  const usual = state.client === state.about.clients[0].name && !state.today && !isWhatIf();
  return [
    h(
      "section",
      { class: "group" },
      h("h2", {}, t("request")),
      h(
        "p",
        { class: "line-of" },
        h("code", {}, `POST /cds-services/${result.service}`),
        copyButton(() => curl(sent, result.service, asked()), t("copy_curl"), t("copied"), t("copy_failed")),
        copyButton(sent, t("copy"), t("copied"), t("copy_failed")),
      ),
      usual ? null : h("p", { class: "hint" }, t("curl_differs")),
      state.told.size ? h("p", { class: "hint" }, t("curl_rests")) : null,
      h("pre", { tabindex: "0", "aria-label": t("request") }, sent),
    ),
    h(
      "section",
      { class: "group" },
      h("h2", {}, t("answer")),
      h(
        "p",
        { class: "line-of" },
        h("code", {}, `${result.status}`),
        result.headers.map(([name, value]) => h("code", { class: "soft" }, `${name}: ${value}`)),
        copyButton(answer, t("copy"), t("copied"), t("copy_failed")),
      ),
      h("pre", { tabindex: "0", "aria-label": t("answer") }, answer),
    ),
  ];
}
