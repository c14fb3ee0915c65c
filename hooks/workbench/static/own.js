/** Requests and patients of one's own: pasted, opened, or dropped. */

import { field, h } from "./dom.js";
import { drawIntake, drawSettings, tellMade } from "./intake.js";
import { accept, evaluate, state } from "./state.js";
import { t } from "./words.js";

export function own() {
  const text = h("textarea", {
    rows: 12,
    spellcheck: false,
    placeholder: t("paste_here"),
    oninput: () => (state.draft = text.value),
  });
  text.value = state.draft ?? state.text;
  text.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && bring(text.value));
  const file = h("input", {
    type: "file",
    accept: ".json,application/json,application/fhir+json",
    class: "visually-hidden",
    onchange: () => read([...file.files]).then(() => (file.value = "")), // the same file may have changed
  });
  return h(
    "div",
    { class: "drop" },
    field(t("paste_label"), text, t("paste_hint")),
    h(
      "div",
      { class: "row" },
      h("button", { type: "button", class: "primary", onclick: () => bring(text.value) }, t("evaluate")),
      h("label", { class: "quiet button" }, file, t("open_file")),
    ),
    h("p", { class: "fault", role: "alert", id: "own-fault", hidden: true }),
  );
}

/** A file may be dropped anywhere; elsewhere than on a page that expects it a browser would leave the page for it. */
export function takeDrops() {
  const isFile = (event) => event.dataTransfer.types.includes("Files");
  const mark = (over) => document.getElementById("intake").classList.toggle("over", over);
  addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget ?? mark(false));
  addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    mark(false);
    state.origin = "own";
    drawIntake();
    read([...event.dataTransfer.files]);
  });
}

function tell(sentence) {
  const said = document.getElementById("own-fault");
  said.textContent = sentence;
  said.hidden = !sentence;
}

const megabytes = (bytes) => Math.ceil(bytes / 1e6);

async function read(files) {
  if (files.length > 1) return tell(t("one_file"));
  if (!files.length) return;
  const { most } = state.about;
  const [file] = files;
  if (file.size > most) return tell(t("file_too_large", { size: megabytes(file.size), most: megabytes(most) }));
  await bring(await file.text());
}

/** Data become a request of the hook that is chosen; everything else is sent as it is, to be refused as it is. */
async function bring(text) {
  tell("");
  if (!text.trim()) return tell(t("nothing_pasted"));
  accept(text);
  drawSettings();
  await evaluate();
  tellMade();
}
