/** The words of the page in both languages, and which of them is spoken. */

let words = {};
let language = "en";

export const spoken = () => language;

export function learn(all) {
  words = all;
}

export function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
}

/** A text by its key, with {names} filled in. A key without words shows itself, so that it is noticed. */
export function t(key, values = {}) {
  const said = words[key]?.[language] ?? key;
  return said.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Several things in a row, as the language separates them. */
export const listed = (parts) => parts.join(t("separator"));
