/** What the page asks the service for. Whatever goes wrong becomes a Failure with sentences that can be shown. */

const BASE = "/workbench/api";

export class Failure extends Error {
  constructor(status, issues) {
    super(issues.join(" "));
    this.status = status;
    this.issues = issues;
  }
}

async function asked(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Failure(0, []);
  }
  const content = await response.json().catch(() => null);
  if (!response.ok) {
    const said = (content?.issue ?? []).map((issue) => issue.details?.text ?? "");
    throw new Failure(response.status, said.length ? said : [response.statusText]);
  }
  return content;
}

const posted = (content) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(content),
});

export const words = () => asked(`${BASE}/words`);
export const about = (language) => asked(`${BASE}/about?language=${language}`);
export const fixture = (name) => asked(`${BASE}/fixtures/${encodeURIComponent(name)}`);
export const evaluate = (content) => asked(`${BASE}/evaluate`, posted(content));
export const requestOf = (bundle, hook) => asked(`${BASE}/requests`, posted({ bundle, hook }));
export const feedback = (service, item) => asked(`/cds-services/${service}/feedback`, posted({ feedback: [item] }));
