"""A secret is found where its reference points, and shows itself nowhere."""

from __future__ import annotations

import copy
import io
import json
import logging
import os
import pickle
import traceback
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from isthmus.app.project.problems import ProjectProblems
from isthmus.app.secrets import (
    Secret,
    is_reference,
    is_secret_name,
    redact,
    redaction_processor,
    resolve,
    resolve_all,
    reveal_all,
)
from isthmus.errors import ConfigurationError

PLANTED = "hunter2-Pa$$/word&more"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    file = tmp_path / "secrets" / "bc"
    file.parent.mkdir()
    file.write_text(PLANTED + "\n")
    file.chmod(0o600)
    return file


def test_a_secret_comes_from_the_environment(tmp_path: Path) -> None:
    secret = resolve("env:BC_SECRET", folder=tmp_path, environ={"BC_SECRET": PLANTED})
    assert secret.reveal() == PLANTED
    assert secret.reference == "env:BC_SECRET"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_comes_from_a_private_file_of_the_project(tmp_path: Path, private: Path, mode: int) -> None:
    private.chmod(mode)
    assert resolve("file:secrets/bc", folder=tmp_path, environ={}).reveal() == PLANTED
    assert resolve(f"file:{private}", folder=tmp_path / "elsewhere", environ={}).reveal() == PLANTED


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o700, 0o604])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, private: Path, mode: int) -> None:
    private.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        resolve("file:secrets/bc", folder=tmp_path, environ={}, setting="connections.finance.secret")
    assert "connections.finance.secret: file:secrets/bc can be read by others" in str(caught.value)
    assert "chmod 600 secrets/bc" in str(caught.value)
    assert PLANTED not in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path, private: Path) -> None:
    os.chown(private, 65534, 65534)
    with pytest.raises(ConfigurationError, match="belongs to another user"):
        resolve("file:secrets/bc", folder=tmp_path, environ={})


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("env:BC_SECRET", "the environment variable BC_SECRET is not set or empty"),
        ("file:secrets/none", "file:secrets/none: there is no such file"),
        ("file:secrets", "file:secrets: "),
        ("file:secrets/empty", "file:secrets/empty: it is empty"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, private: Path, reference: str, told: str) -> None:
    (private.parent / "empty").touch(0o600)
    with pytest.raises(ConfigurationError, match=told):
        resolve(reference, folder=tmp_path, environ={"BC_SECRET": ""})


@pytest.mark.parametrize("literal", [PLANTED, "env:", "vault:x", "ENV:NAME", "", "file: "])
def test_a_literal_is_refused_and_never_repeated(tmp_path: Path, literal: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(literal, folder=tmp_path, environ={}, setting="secret")
    assert "write env:NAME" in str(caught.value)
    assert PLANTED not in repr(caught.value) + str(caught.value)


def test_settings_are_resolved_where_a_secret_belongs(tmp_path: Path) -> None:
    settings = {"tenant": "env:not-a-secret", "auth": {"client_secret": "env:S"}, "secret": "env:S", "token": None}
    resolved = resolve_all(settings, folder=tmp_path, environ={"S": PLANTED})
    assert resolved["tenant"] == "env:not-a-secret"
    assert resolved["auth"]["client_secret"].reveal() == PLANTED
    assert PLANTED not in repr(resolved)
    assert reveal_all(resolved)["secret"] == PLANTED
    with pytest.raises(ConfigurationError, match=r"connections\.finance\.auth\.client_secret"):
        resolve_all(settings, folder=tmp_path, environ={}, at="connections.finance")


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(PLANTED, "env:S")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>30}", "%s %r" % (secret, secret), str([secret])]  # noqa: UP031
    shown += [json.dumps({"s": secret}, default=str), str(vars(type(secret))), repr(copy.deepcopy({"s": secret}))]
    assert PLANTED not in " ".join(shown)
    assert repr(secret) == "Secret(env:S)"


def test_a_secret_cannot_be_stored() -> None:
    secret = Secret(PLANTED)

    class Holder(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        secret: Secret

    with pytest.raises(TypeError, match="never stored"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    with pytest.raises(Exception, match="Unable to serialize") as caught:
        Holder(secret=secret).model_dump_json()
    assert PLANTED not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["secret", "client_secret", "clientSecret", "password", "API-KEY", "api_key", "apiKey", "sas_token"]
)
def test_names_that_hold_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["secret_expires_on", "token_url", "key", "keys", "author", "tokens", "secretary"])
def test_names_that_do_not(name: str) -> None:
    assert not is_secret_name(name)


REFERENCE = "secret: env:BC_SECRET"
URL = f"https://me:{PLANTED.replace('/', '')}@bc.example"
PLACES = [
    (REFERENCE, f"secret: '{PLANTED}'", 19, "connections.finance.secret"),
    (REFERENCE, "secret: 987654321", 19, "connections.finance.secret"),
    (REFERENCE, f"secret: {{value: '{PLANTED}'}}", 19, "connections.finance.secret.value"),
    (REFERENCE, f"{REFERENCE}\n    certificate_password: '{PLANTED}'", 20, "certificate_password"),
    (REFERENCE, f"{REFERENCE}\n    url: '{URL}'", 20, "url"),
    ("{data: input}", f"{{data: input, password: '{PLANTED}'}}", 2, "variables.password"),
]


@pytest.mark.parametrize(("old", "new", "line", "setting"), PLACES)
def test_a_secret_in_a_project_file_is_refused_without_repeating_it(
    folder: Any, old: str, new: str, line: int, setting: str
) -> None:
    folder.edit("isthmus.yaml", old, new)
    with pytest.raises(ProjectProblems) as caught:
        folder.load()
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(caught.value.problems)
    assert "hunter2" not in told
    assert "987654321" not in told
    assert any(
        setting in problem.message and "write env:NAME" in problem.message and problem.line == line
        for problem in caught.value.problems
    )
    failure: BaseException | None = caught.value
    while failure is not None:
        assert "hunter2" not in repr(failure) + str(failure)
        failure = failure.__cause__ or failure.__context__


def test_a_secret_that_comes_through_a_variable_is_refused_too(folder: Any) -> None:
    folder.edit("isthmus.yaml", "{data: input}", "{data: input, pass: {text: x}}")
    folder.edit("isthmus.yaml", "env:BC_SECRET", "${pass}")
    folder.sets = {"pass": PLANTED}
    problem = folder.problem()
    assert "connections.finance.secret holds the secret itself" in problem
    assert "hunter2" not in problem


def test_a_reference_may_come_through_a_variable(folder: Any) -> None:
    folder.edit("isthmus.yaml", "{data: input}", "{data: input, from: {text: 'env:OTHER'}}")
    folder.edit("isthmus.yaml", "env:BC_SECRET", "${from}")
    assert folder.load().connections["finance"].settings["secret"] == "env:OTHER"


def test_a_secret_in_a_flow_is_refused(folder: Any) -> None:
    folder.edit("flows/costs.yaml", "rules:", f"password: '{PLANTED}'\nrules:")
    told = "\n".join(str(problem) for problem in folder.problems())
    assert "flows/costs.yaml:5: password holds the secret itself" in told
    assert "hunter2" not in told


MASKED = [
    ("Authorization: Bearer eyJ0eXAi.eyJhdWQi.c2ln", "Authorization: Bearer ***"),
    ("authorization: basic dXNlcjpwdw==", "authorization: basic ***"),
    ("grant_type=x&client_secret=Ab~8Q&scope=y", "grant_type=x&client_secret=***&scope=y"),
    ('{"client_secret": "Ab~8Q", "scope": "x"}', '{"client_secret": "***", "scope": "x"}'),
    ("password=geheim next", "password=*** next"),
    ("{'access_token': 'abc.def'}", "{'access_token': '***'}"),
    ("postgresql://isthmus:geheim@db.example/isthmus", "postgresql://isthmus:***@db.example/isthmus"),
    ("token eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJhcGki.c2lnbmF0dXJl end", "token *** end"),
    ("pay to DE89 3704 0044 0532 0130 00 today", "pay to *** today"),
    ("pay to GB82WEST12345698765432.", "pay to ***."),
    ("card 4111 1111 1111 1111 used", "card *** used"),
    ("card 5500-0000-0000-0004 used", "card *** used"),
    ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nrest", "***\nrest"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "masked"), MASKED)
def test_what_looks_like_a_secret_is_masked(text: str, masked: str) -> None:
    assert redact(text) == masked
    assert redact(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "document 4111111111111112, 500 rows",  # no card: the check digit is wrong
        "DE89 3704 0044 0532 0130 11",  # no IBAN: the check digits are wrong
        "work order WO-2026-000123 of 183.05 USD on 2026-01-31T08:00:00Z",
        "secret: env:BC_SECRET is not set",
        "id 6f1c2f5e-0d5b-4c0e-9a53-5a3f6d1c7a10",
        "https://api.businesscentral.dynamics.com/v2.0/contoso/Production/api/v2.0/companies",
    ],
)
def test_what_people_need_stays_readable(text: str) -> None:
    assert redact(text) == text


def test_known_secrets_are_masked_however_they_are_spelled() -> None:
    secret = Secret(PLANTED)
    spellings = ["hunter2-Pa$$/word&more", "hunter2-Pa%24%24%2Fword%26more", "aHVudGVyMi1QYSQkL3dvcmQmbW9yZQ=="]
    assert redact(" ".join(spellings), [secret]) == "*** *** ***"


@given(st.text(min_size=8, max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_known_secret_never_survives(value: str, before: str, after: str) -> None:
    masked = redact(before + value + after, [Secret(value)])
    assert value not in masked or value in "***"


def _logged(log: Any, event: str, **values: Any) -> None:
    try:
        raise ValueError(f"sign-in refused for {PLANTED}")
    except ValueError:
        log.error(event, **values, exc_info=True)


def test_nothing_of_a_secret_reaches_the_log() -> None:
    secret = Secret(PLANTED, "env:S")
    out = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(out), processors=[redaction_processor([secret]), structlog.processors.JSONRenderer()]
    )
    _logged(
        log,
        f"posted {PLANTED}",
        client_secret="x1y2z3",
        secret="env:S",
        settings={"tenant": "contoso", "password": "x1y2z3", PLANTED: "key"},
        seen=[f"a {PLANTED} b", secret, ("card", 4111111111111111)],
        cause=RuntimeError(PLANTED),
        path=Path("/") / PLANTED,
        count=3,
    )
    line = out.getvalue()
    for planted in (PLANTED, "hunter2", "x1y2z3", "4111111111111111"):
        assert planted not in line
    told = json.loads(line)
    assert told["count"] == 3
    assert told["secret"] == "env:S", "a reference helps the reader"
    assert told["settings"]["tenant"] == "contoso"
    assert "sign-in refused for ***" in told["exception"]


def test_a_secret_learned_later_is_masked_from_then_on() -> None:
    redactor = redaction_processor()
    secret = redactor.remember(Secret(PLANTED))
    assert secret.reveal() == PLANTED
    assert redactor(logging.getLogger(), "info", {"event": PLANTED}) == {"event": "***"}


def test_references_are_recognised() -> None:
    assert is_reference("env:NAME")
    assert is_reference("file:secrets/bc")
    assert not is_reference("environment")
