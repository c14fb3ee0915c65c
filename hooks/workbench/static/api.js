/** What the page asks the service for. Whatever goes wrong becomes a Failure with sentences that can be shown. */

const BASE = "/workbench/api";

export class Failure extends Error {
  constructor(status, issues, what = "could_not_ask") {
    super(issues.join(" "));
    this.status = status;
    this.issues = issues;
    this.what = what;
  }
}

async function asked(path, options, refused) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Failure(0, []);
  }
  const content = await response.json().catch(() => null);
  if (!response.ok) {
    const said = (content?.issue ?? []).map((issue) => issue.details?.text ?? "");
    throw new Failure(response.status, said.length ? said : [response.statusText], response.status === 400 ? refused : undefined);
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
export const requestOf = (data, service, client) => asked(`${BASE}/requests`, posted({ data, service, client }), "no_request");
export const feedback = (service, item) => asked(`/cds-services/${service}/feedback`, posted({ feedback: [item] }));
