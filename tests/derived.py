"""The pages of the configuration and of the services, from the code; tests/reference.py writes them with all others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hooks.contexts import CONTEXTS
from hooks.deployment.model import Deployment, Section
from hooks.feedback.options import SALT, STORE
from hooks.fhir.keys import KEYS, PATIENT_KEY, templates
from hooks.routes import SPECIFICATION
from hooks.services import SERVICES
from tests.patients import library


DOCS = Path(__file__).parent.parent / "docs"

_CONFIGURATION = f"""# Configuration

One file says how the service is run, and what it does for whom. Begin with the example, in which every key stands with a comment:

```sh
cobalamin config example > cobalamin.yaml
cobalamin config check cobalamin.yaml                      # everything that is wrong, with file, key and mend; 1 if anything is
cobalamin config check cobalamin.yaml --format json
cobalamin config show cobalamin.yaml                       # what holds, with every default; secrets are masked
cobalamin serve --config cobalamin.yaml
cobalamin serve --config cobalamin.yaml --port 9090        # an option wins over the file
```

Paths lie beside the file. What is written wrongly, or is no key, stops the start. Clients are described in files of their own
([clients](clients.md)), and so are the hospital's numbers (a site policy).

## Secrets

They stand in the environment, never in a file of the configuration and never on a command line.

| variable | holds |
| --- | --- |
| `{SALT}` | the secret that pseudonyms are made with; needed for feedback and for the audit. `openssl rand -hex 32` makes one |
| `{STORE}` | the store, where its URL holds a password; it wins over `feedback.store` |

Each may also be a file, as containers mount secrets, which is then named by the same variable with `_FILE` at its end.

## Every key
"""

_PRACTICE = """
## In practice

- **https.** The service itself speaks plain HTTP, and belongs behind a gateway that ends TLS 1.2 or later. As soon as the gateway is
  named (`proxies.addresses`), calls are answered through it only, and only where it says `X-Forwarded-Proto: https`; all others get
  403 and never a redirect. Everything outside `/cds-services` (`/healthz`, `/readyz`, `/metrics`, the rulebook, `/openapi.json`) is
  answered directly as well, for probes. The gateway must replace the headers of callers, not pass them on.
- **Certificates of clients.** The gateway checks them and says so in two headers; `trust.certificates` of a profile names the
  subjects. From any other address the same headers are ignored.
- **Who is reached.** FHIR servers and key sets by https only. A name that leads to a private, loopback or link-local address is
  refused, unless its network is listed in the profile (`networks`). No redirect is followed.
- **Rates.** Each worker of one machine counts in the same file; several machines count each for itself. A client that calls too
  often gets 429, and where all together do, whoever comes next gets 503; both with `Retry-After`. Calls that are refused with 401 are
  not counted. Before authentication, limit by address at the gateway.
- **Ending.** SIGTERM: `/readyz` says 503, calls are still taken for `server.notice_s`, then what is under way is answered and nothing
  new is taken. SIGINT does not wait. A request past `server.deadline_s` gets 503, and its worker is replaced.
"""

_SERVICES = """# Services

What each service answers, what it needs, and what its clients must be able to do. `GET /cds-services` says the same for machines; what
is typed into one EHR is printed by `cobalamin site-sheet`.
"""


def keys(model: type[Section] = Deployment, before: str = "") -> Iterator[tuple[str, str, Mapping[str, Any], Any]]:
    """Every key: its name, what it means, its kind with an example, its default."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            continue
        written: Any = field.json_schema_extra
        yield before + name, field.description or "", written, field.default


def sections() -> Iterator[tuple[str, type[Section]]]:
    """Every section by its key; the file itself is the first."""
    yield "", Deployment
    for name, field in Deployment.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, field.annotation


def configuration() -> str:
    """The page of the configuration."""
    lines = [_CONFIGURATION]
    for name, model in sections():
        title = f"### `{name}`\n\n{(model.__doc__ or '').strip()}\n" if name else ""
        lines += [title] if title else []
        lines += ["| key | means | may be | without it | example |", "| --- | --- | --- | --- | --- |"]
        for key, means, written, default in keys(model, f"{name}." if name else ""):
            usual = "" if default is None or default in ((), {}) else f"`{json.dumps(default)}`"
            lines.append(f"| `{key}` | {means} | {written['kind']} | {usual} | `{written['example']}` |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n" + _PRACTICE


def services() -> str:
    """The page of the services."""
    lines = [_SERVICES]
    required = {PATIENT_KEY, *(key.name for key in KEYS if key.required)}
    for service in SERVICES:
        context = CONTEXTS[service.hook].model_fields
        needed = [name for name, field in context.items() if field.is_required()]
        lines += [
            f"## {service.title}",
            "",
            f"`{service.hook}` (version {service.hook_version}) at `/cds-services/{service.id}`. {service.description}",
            "",
            f"Context: {', '.join(f'`{name}`' for name in needed)}.",
            "",
            "| prefetch key | query | |",
            "| --- | --- | --- |",
        ]
        for name, template in templates(library(), service.rules).items():
            query = template if "code=" not in template else f"{template.partition('code=')[0]}code=..."
            lines.append(f"| `{name}` | `{query}` | {'required' if name in required else 'optional'} |")
        lines.append("")
    return (
        "\n".join(lines)
        + f"""
## For all of them

- **CDS Hooks {SPECIFICATION}.** Clients of 1.x are served by a profile with `cards.version: 1`.
- **Required data.** Where it is missing and something is concluded from it, the answer is 412 with the name of the key. Without
  optional data the card says what could not be assessed. The codes of the laboratory query are in discovery.
- **Fetching.** What prefetch does not bring is fetched from `fhirServer` with `fhirAuthorization`, where the base is agreed on
  ([clients](clients.md)).
- **Suggestions** create, update and delete drafts. `selectionBehavior` is `at-most-one` or `any`; clients that know one of them only
  say so in their profile (`cards.selection`).
- **`actionSelectionBehavior`** (ballot of 3.0) is not sent: the actions of a suggestion are applied together. Nor are system actions.
- **Feedback** is taken at the address of the service, followed by `/feedback`, where the deployment keeps it ([how](feedback.md)).
- **Browsers** may call from the origins that the deployment lists ([configuration](configuration.md)).
"""
    )


PAGES: Mapping[str, Callable[[], str]] = {"configuration.md": configuration, "services.md": services}
