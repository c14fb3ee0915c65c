/** A resource of the request, as it was sent, in a dialog. */

import { copyButton, h } from "./dom.js";
import { evaluate, request, state } from "./state.js";
import { t } from "./words.js";

/** The resource of a reference, wherever in the request it stands; null where it is not in it. */
function found(value, reference) {
  if (value === null || typeof value !== "object") return null;
  if (`${value.resourceType}/${value.id}` === reference) return value;
  for (const member of Object.values(value)) {
    const inside = found(member, reference);
    if (inside) return inside;
  }
  return null;
}

export function showResource(reference) {
  const resource = found(request(), reference);
  const hide = resource ? h("button", { type: "button", class: "quiet", onclick: take }, t("hide_this")) : null;
  function take() {
    state.hidden.add(reference);
    document.getElementById("resource").close();
    evaluate();
  }
  showJson(resource, reference, hide);
}

export function showJson(content, title, beside = null) {
  const dialog = document.getElementById("resource");
  const text = JSON.stringify(content, null, 2);
  dialog.replaceChildren(
    h(
      "header",
      {},
      h("h2", {}, title),
      h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("close")),
    ),
    content ? h("pre", { tabindex: "0" }, text) : h("p", {}, t("not_in_request")),
    h("footer", {}, content ? copyButton(text, t("copy"), t("copied"), t("copy_failed")) : null, beside),
  );
  dialog.setAttribute("aria-label", title);
  dialog.showModal();
}
