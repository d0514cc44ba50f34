"""Validate a crate with roc-validator without a network; run by the Python that has it installed.

``python roc_validate.py CRATE CONTEXTS``: prints each issue and exits with 1 where there is one.
JSON-LD contexts are read from the folder CONTEXTS by their identifiers, and whoever asks for
another address than theirs is refused.
"""

import json
import socket
import sys
import tempfile
from pathlib import Path

import requests
from rocrate_validator.models import ValidationSettings
from rocrate_validator.services import validate
from rocrate_validator.utils.http import HttpRequester


def bundled(contexts: Path) -> dict[str, bytes]:
    files = [path.read_bytes() for path in sorted(contexts.glob("*.jsonld"))]
    return {json.loads(content)["@id"]: content for content in files}


def answer(url: str, known: dict[str, bytes]) -> requests.Response:
    if url not in known:
        raise SystemExit(f"{url} would be fetched, and is not among the bundled contexts")
    response = requests.Response()
    response.status_code = 200
    response.url = url
    response.headers["Content-Type"] = "application/ld+json"
    response._content = known[url]
    return response


def refuse(*arguments, **options):
    raise SystemExit(f"a connection is opened: {arguments}")


def main(crate: str, contexts: str) -> int:
    known = bundled(Path(contexts))
    HttpRequester.__getattr__ = lambda self, name: (
        lambda url, *args, **kwargs: answer(str(url), known)
    )
    HttpRequester.get = lambda self, url, *args, **kwargs: answer(str(url), known)
    socket.socket.connect = refuse
    settings = ValidationSettings(
        rocrate_uri=crate,
        profile_identifier="workflow-run-crate-0.5",
        requirement_severity="REQUIRED",
        offline=True,
        skip_availability_check=True,
        cache_path=Path(tempfile.mkdtemp()) / "cache",
    )
    result = validate(settings)
    for issue in result.get_issues():
        print(f"{issue.severity.name}: {issue.check.identifier}: {issue.message}")
    print(f"{len(result.get_issues())} issues of {len(result.context.profiles)} profiles")
    return int(bool(result.get_issues()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
