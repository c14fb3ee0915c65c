/** The request and the answer as they stand on the wire. */

import { copyButton, h } from "./dom.js";
import { asked, isWhatIf, state } from "./state.js";
import { t } from "./words.js";

/** The command that sends this request to the service itself. */
export function curl(text, service, language) {
  const accept = language ? ` -H 'Accept-Language: ${language}'` : "";
  return `curl -s ${location.origin}/cds-services/${service} -H 'Content-Type: application/json'${accept} --data-binary @- <<'REQUEST'\n${text}\nREQUEST\n`;
}

export function wire(result) {
  const sent = result.sent ? JSON.stringify(JSON.parse(result.sent), null, 1) : state.text;
  const answer = JSON.stringify(JSON.parse(result.answer), null, 2);
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
        copyButton(() => curl(sent, result.service, asked()), t("copy_curl"), t("copied")),
        copyButton(sent, t("copy"), t("copied")),
      ),
      usual ? null : h("p", { class: "hint" }, t("curl_differs")),
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
        copyButton(answer, t("copy"), t("copied")),
      ),
      h("pre", { tabindex: "0", "aria-label": t("answer") }, answer),
    ),
  ];
}
