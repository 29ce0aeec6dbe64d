"""Secrets: references to them in project files, values that do not show themselves, and the masking of what is logged.

A project file says `env:NAME` or `file:PATH`; the value is read when a connection opens and lives in a `Secret` only.
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

from isthmus.errors import ConfigurationError

MASK = "***"
_LAST_WORDS = frozenset({"secret", "password", "passwd", "passphrase", "pwd", "token", "credential", "credentials"})
_KEYS = ("api_key", "apikey", "access_key", "private_key", "shared_key", "signing_key", "account_key")
_HOW = "write env:NAME (an environment variable) or file:PATH (a file only you can read, mode 600)."
_MODES = frozenset({0o600, 0o400})


class Secret:
    """A secret value that shows `***` wherever it is printed, formatted or logged, and refuses to be stored.

    `reference` says where it came from and may be shown. `reveal()` gives the value to the code that signs in.
    """

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: str = "") -> None:
        self._value = value
        self.reference = reference

    def reveal(self) -> str:
        """The value itself: for the sign-in only, never for a text."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.reference or MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is never stored: keep its reference")


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret: `client_secret`, `apiKey`; not `token_url`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").casefold()
    return words.rpartition("_")[2] in _LAST_WORDS or words.endswith(_KEYS)


def is_reference(value: str) -> bool:
    """Whether a text points at a secret instead of being one."""
    kind, colon, rest = value.partition(":")
    return bool(colon and rest.strip()) and kind in {"env", "file"}


def literal_secret(setting: str) -> str:
    """What to tell somebody who wrote a secret into a project file; never the value."""
    return f"{setting} holds the secret itself: {_HOW} Change the secret, it has been in a file."


def resolve(reference: str, *, folder: Path, environ: Mapping[str, str], setting: str = "secret") -> Secret:
    """The secret `env:NAME` or `file:PATH` (relative to the project folder) points at. Safe to repeat.

    Raises ConfigurationError naming the setting and what to do, never a value.
    """
    kind, _, rest = reference.partition(":")
    if not is_reference(reference):
        raise ConfigurationError(literal_secret(setting), code="secret_literal")
    if kind == "env":
        value = environ.get(rest.strip(), "")
        if not value:
            raise ConfigurationError(
                f"{setting} cannot be read: the environment variable {rest.strip()} is not set or empty.",
                code="secret_missing",
            )
        return Secret(value, reference)
    return Secret(_read_private(folder / Path(rest.strip()).expanduser(), reference, setting), reference)


def _read_private(path: Path, reference: str, setting: str) -> str:
    """The text of a file that only its owner can read, without the line end at its end."""
    failure = ""
    try:
        # One open file for the check and the read, so that nobody can swap it in between.
        with path.open("rb") as file:
            _require_private(os.fstat(file.fileno()), reference, setting)
            value = file.read().decode("utf-8").rstrip("\r\n")
    except FileNotFoundError:
        failure = "there is no such file"
    except OSError as error:
        failure = error.strerror or "it cannot be read"
    except UnicodeDecodeError:
        failure = "it is not UTF-8 text"
    if not failure and not value:
        failure = "it is empty"
    if failure:
        raise ConfigurationError(f"{setting}: {reference}: {failure}.", code="secret_missing")
    return value


def _require_private(status: os.stat_result, reference: str, setting: str) -> None:
    name = reference.partition(":")[2]
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"{setting}: {reference} is not a file.", code="secret_missing")
    if status.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{setting}: {reference} belongs to another user.",
            code="secret_open",
            hint=f"Make it yours: chown $(id -un) {name} && chmod 600 {name}",
        )
    if stat.S_IMODE(status.st_mode) not in _MODES:
        raise ConfigurationError(
            f"{setting}: {reference} can be read by others (mode {stat.S_IMODE(status.st_mode):o}).",
            code="secret_open",
            hint=f"Close it: chmod 600 {name}",
        )


def resolve_all(
    settings: Mapping[str, Any], *, folder: Path, environ: Mapping[str, str], at: str = ""
) -> dict[str, Any]:
    """Settings with every reference that stands under a secret's name replaced by its `Secret`. Safe to repeat.

    Raises ConfigurationError like `resolve`; `at` is where the settings stand, for the texts.
    """
    resolved: dict[str, Any] = {}
    for name, value in settings.items():
        setting = f"{at}.{name}" if at else name
        if isinstance(value, str) and value and is_secret_name(name):
            resolved[name] = resolve(value, folder=folder, environ=environ, setting=setting)
        elif isinstance(value, Mapping):
            resolved[name] = resolve_all(value, folder=folder, environ=environ, at=setting)
        else:
            resolved[name] = value
    return resolved


def reveal_all(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with every `Secret` replaced by its value: only for the call that opens a connector."""
    return {
        name: value.reveal()
        if isinstance(value, Secret)
        else reveal_all(value)
        if isinstance(value, Mapping)
        else value
        for name, value in settings.items()
    }


# What is masked wherever it stands, known to us or not. Group 1, where there is one, stays.
_QUOTED = r"""["']?\s*[=:]\s*["']?"""
_PATTERNS: tuple[re.Pattern[str], ...] = (
    re.compile(r"\b((?:bearer|basic)\s+)(?!\*)[\w.~+/=-]{6,}", re.IGNORECASE),
    re.compile(
        r"\b((?:client_?secret|client_?assertion|password|passwd|pwd|passphrase|(?:access|refresh|id|auth)_?token"
        r"|api_?key|access_?key|shared_?access_?key|account_?key|private_?key|secret)"
        + _QUOTED
        + r""")(?!\*|(?:env|file):)[^\s"'&;,}]+""",
        re.IGNORECASE,
    ),
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"),
    re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){3,8}\b")
_CARD = re.compile(r"(?<![\d.,])[2-6]\d(?:[ -]?\d){11,17}(?![\d])")


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """`text` with known secrets, tokens, passwords, private keys, IBANs and card numbers replaced by `***`.

    IBANs and card numbers count only with a right check digit, so that order numbers stay readable.
    """
    for spelling in sorted({form for secret in secrets for form in _spellings(secret)}, key=len, reverse=True):
        text = text.replace(spelling, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(lambda match: (match[1] if match.re.groups else "") + MASK, text)
    text = _IBAN.sub(lambda match: MASK if _is_iban(match[0]) else match[0], text)
    return _CARD.sub(lambda match: MASK if _is_card(match[0]) else match[0], text)


def _spellings(secret: Secret) -> Iterator[str]:
    """How a secret may stand in a text: as it is, in a URL, in JSON, in Base64."""
    value = secret.reveal()
    if value:
        encoded = base64.b64encode(value.encode()).decode()
        yield from (
            value,
            quote(value, safe=""),
            quote_plus(value),
            json.dumps(value)[1:-1],
            repr(value)[1:-1],
            encoded,
        )


def _is_iban(text: str) -> bool:
    compact = re.sub(r"[ -]", "", text)
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


def _is_card(text: str) -> bool:
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


class Redactor:
    """A structlog processor that masks what `redact` masks, everywhere in an event.

    Put it last before the renderer: it turns `exc_info` into text first, because a traceback quotes values too.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets = list(secrets)

    def remember(self, secret: Secret) -> Secret:
        """Mask this one too from now on; returns it, so that a resolve can pass through here."""
        self._secrets.append(secret)
        return secret

    def text(self, text: str) -> str:
        """`text` masked."""
        return redact(text, self._secrets)

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        from structlog.processors import format_exc_info  # noqa: PLC0415  # every command reads secrets, few log

        event = format_exc_info(logger, name, event)
        return {key: MASK if _hides(key, value) else self._masked(value) for key, value in event.items()}

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                self._masked(key): MASK if _hides(str(key), item) else self._masked(item) for key, item in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self._masked(item) for item in value]
        # Whatever a renderer would print: an error, a path, a number that is a card number.
        masked = self.text(str(value))
        return value if masked == str(value) and self.text(repr(value)) == repr(value) else masked


def _hides(name: str, value: Any) -> bool:
    return is_secret_name(name) and not (isinstance(value, str) and (not value or is_reference(value)))


def redaction_processor(secrets: Iterable[Secret] = ()) -> Redactor:
    """The structlog processor that masks `secrets` and everything that looks like one."""
    return Redactor(secrets)
