/** Elements from plain data: no template language, and nothing is ever parsed as HTML but what the service itself has rendered. */

export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** What the service rendered from its own Markdown, in which nothing of a record is HTML. Links open beside the page. */
export function rendered(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  for (const link of holder.content.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noreferrer";
  }
  return holder.content;
}

let count = 0;
export const unique = (name) => `${name}-${(count += 1)}`;

export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** A field with its label above it. */
export function field(label, control, hint) {
  control.id ||= unique("field");
  const said = hint ? h("p", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (said) control.setAttribute("aria-describedby", said.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, said);
}

export function select(choices, chosen, onchange) {
  const options = choices.map(([value, text]) => h("option", { value, selected: value === chosen }, text));
  return h("select", { onchange: (event) => onchange(event.target.value) }, options);
}

/** A button that puts text on the clipboard, and says whether it could. */
export function copyButton(text, label, done, failed) {
  const button = h("button", { type: "button", class: "quiet", onclick: copy }, label);
  async function copy() {
    const said = await navigator.clipboard.writeText(typeof text === "function" ? text() : text).then(
      () => done,
      () => failed,
    );
    button.textContent = said;
    announce(said);
    setTimeout(() => (button.textContent = label), 2000);
  }
  return button;
}
