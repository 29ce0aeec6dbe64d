"""Whether the parts of a profile fit together: what no single field can know."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from isthmus.connectors.rest.declared.auth import Login, OAuth2
from isthmus.connectors.rest.declared.calls import Call
from isthmus.connectors.rest.declared.entities import Filtered
from isthmus.connectors.rest.declared.fields import BUILT_IN, FieldSpec
from isthmus.connectors.rest.declared.paging import CursorPaging, OffsetPaging, PagePaging, SpringPaging
from isthmus.connectors.rest.declared.profile import Profile
from isthmus.connectors.rest.declared.resolving import Whole, whole_entities
from isthmus.connectors.rest.moments import time_form
from isthmus.connectors.rest.templates import holes
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document, Path
from isthmus.model.entity import entities

_ALWAYS = {"parameters", "company", "set"}
_LIST = {"since", "page", "offset", "limit", "cursor"}
_WRITE = {"id", "document", "version", "mark", "status"}
_NOTE = {"id", "version", "state", "text", "number", "booked_on", "amount", "currency"}
_SIGN = {"user", "password", "client_id", "client_secret", "refresh_token", "api_key"}
#: names the templates of a call may use
NAMES: Mapping[str, set[str]] = {
    "list": _ALWAYS | _LIST,
    "filter": _ALWAYS | _LIST | {"value", "values"},
    "get": _ALWAYS | {"id"},
    "write": _ALWAYS | _WRITE,
    "note": _ALWAYS | _NOTE,
    "batch": _ALWAYS | {"operations"},
    "operation": _ALWAYS | {"position", "method", "path", "document", "version", "id"},
    "sign_in": {"parameters"} | _SIGN,
    "subscription": _ALWAYS | {"address", "secret", "id"},
    "headers": {"parameters", "company"},
}
_BY_HAND = (
    "Where a person subscribes in the system, leave webhook out, and tell the secret in `hook` of the connection: "
    "docs/webhooks.md."
)
_PAGE_NAMES = {PagePaging: "page", SpringPaging: "page", OffsetPaging: "offset", CursorPaging: "cursor"}


def check_profile(profile: Profile, document: Document) -> Iterator[ConfigurationError]:
    """Everything that does not fit together, each with its line."""
    yield from _general(profile, document)
    known, sets = entities(), dict[str, str]()
    for name, whole in whole_entities(profile).items():
        at: Path = ("entities", name)
        if name not in known:
            yield document.error(at, f"there is no entity {name!r}: there is {', '.join(known)}.")
        other = sets.setdefault(whole.own.native, name)
        if other != name:
            text = f"{other} and {name} are both the set {whole.own.native!r}: an entity has a set of its own."
            yield document.error((*at, "native"), text)
        yield from _fields(whole.fields, profile, document, (*at, "fields"))
        yield from _reading(whole, document, at)
        yield from _writing(profile, whole, document, at)
        yield from _added(profile, whole, document, at)
        for part, spec in whole.own.parts.items():
            template = (spec.path, spec.query)
            yield from _names(template, "get", profile, document, (*at, "parts", part))


def _general(profile: Profile, document: Document) -> Iterator[ConfigurationError]:
    yield from _names(profile.headers, "headers", profile, document, ("headers",))
    yield from _names(profile.url, "headers", profile, document, ("url",))
    if isinstance(profile.auth, OAuth2 | Login):
        yield from _names(_plain(profile.auth), "sign_in", profile, document, ("auth",))
    if profile.system is not None:
        yield from _names(_plain(profile.system.call), "list", profile, document, ("system", "call"))
    if profile.batch is not None:
        yield from _names(profile.batch.body, "batch", profile, document, ("batch", "body"))
        yield from _names(profile.batch.operation, "operation", profile, document, ("batch", "operation"))
        if "operations" not in set(holes(profile.batch.body)):
            yield document.error(("batch", "body"), "batch.body has no place for {operations}.")
    hook = profile.webhook
    if hook is not None:
        if (hook.secret == "signature") != (hook.signature is not None):  # noqa: S105 - a choice, not a secret
            text = "webhook: signature belongs to secret: signature, and that to signature."
            yield document.error(("webhook", "secret"), text)
        made = hook.subscribing.create if hook.subscribing is not None else None
        if hook.signature is not None and (made is None or "secret" not in set(holes(_plain(made)))):
            text = "webhook: nobody tells the system what to sign with: subscribing.create has no {secret}."
            yield document.error(("webhook", "signature"), text, hint=_BY_HAND)
        if hook.subscribing is not None:
            at = ("webhook", "subscribing")
            yield from _names(_plain(hook.subscribing), "subscription", profile, document, at)


def _reading(whole: Whole, document: Document, at: Path) -> Iterator[ConfigurationError]:
    listing, changes = whole.calls.get("list"), whole.changes
    used = set(holes(_plain(listing))) if listing is not None else set()
    if changes.how != "none" and listing is None:
        yield document.error((*at, "changes"), f"changes of {whole.entity} cannot be followed without a call `list`.")
    if isinstance(changes, Filtered) and "since" not in used | set(holes(changes.query)):
        text = f"changes of {whole.entity} are asked for by time, and neither the call `list` nor changes.query "
        yield document.error((*at, "changes"), text + "has {since}.")
    if isinstance(changes, Filtered):
        yield from _form(changes.format, changes.zone, document, (*at, "changes"))
    for name, one in whole.ranges.items():
        yield from _form(one.format, "UTC", document, (*at, "ranges", name))
    page = _PAGE_NAMES.get(type(whole.paging))
    if listing is not None and page is not None and page not in used:
        text = f"the call `list` of {whole.entity} has no {{{page}}}, which {whole.paging.style} paging needs."
        yield document.error((*at, "calls", "list"), text)
    if listing is not None and getattr(listing, "partial", False) and "get" not in whole.calls:
        yield document.error((*at, "calls", "list"), "partial: true needs a call `get`.")


def _writing(profile: Profile, whole: Whole, document: Document, at: Path) -> Iterator[ConfigurationError]:
    own = whole.own
    for action in own.actions:
        if action not in whole.calls:
            yield document.error((*at, "actions"), f"{whole.entity} has the action {action} and no call for it.")
    if {"create", "post"} & set(own.actions):
        yield from _key(whole, document, at)
    if "update" in own.actions and "get" not in whole.calls and not {"id", whole.id.at} & set(whole.filters):
        text = f"{whole.entity} is updated, and no call `get` can show what became of it."
        yield document.error((*at, "calls"), text)
    if whole.version is not None and whole.version.guard == "sent" and "update" in own.actions:
        if "version" not in set(holes(_plain(whole.calls.get("update")))):
            text = f"the call `update` of {whole.entity} carries no {{version}}, and version.guard says it does."
            yield document.error((*at, "version"), text)
        batch = profile.batch
        if batch is not None and "update" in batch.actions and "version" not in set(holes(batch.operation)):
            text = f"batch.operation carries no {{version}}, and version.guard of {whole.entity} says it does."
            yield document.error(("batch", "operation"), text)
    for name, call in whole.calls.items():
        kind = name if name in NAMES else "write"
        yield from _names(_plain(call), kind, profile, document, (*at, "calls", name))
    for name, one in whole.filters.items():
        where: Path = (*at, "filters", name)
        if one.call is None and not one.parameter:
            yield document.error(where, f"the filter {name} has neither parameter nor call.")
        yield from _names((one.query, _plain(one.call)), "filter", profile, document, where)
    if own.status is not None and own.status.call is not None:
        yield from _names(_plain(own.status.call), "write", profile, document, (*at, "status", "call"))


def _added(profile: Profile, whole: Whole, document: Document, at: Path) -> Iterator[ConfigurationError]:
    sets = {one.native for one in profile.entities.values()}
    for name, joined in whole.own.joins.items():
        if joined.set not in sets:
            yield document.error((*at, "joins", name), f"there is no set {joined.set!r}: there is {', '.join(sets)}.")
        elif joined.set == whole.own.native:
            yield document.error((*at, "joins", name), f"{joined.set} cannot be joined to itself.")
    for name, lists in whole.own.united.items():
        for one in lists:
            if (spec := whole.fields.get(one)) is None or spec.kind != "list":
                yield document.error((*at, "united", name), f"fields of {whole.entity} declares no list {one!r}.")


def _key(whole: Whole, document: Document, at: Path) -> Iterator[ConfigurationError]:
    key = whole.own.key
    if key is None:
        text = f"{whole.entity} is created, and has no key it could be looked up by after a lost answer."
        yield document.error((*at, "actions"), text, hint="Add key: {fields: [NAME]} with a filter of that name.")
        return
    if key.mark and key.mark not in key.fields:
        yield document.error((*at, "key", "mark"), f"key.mark {key.mark!r} is none of key.fields.")
    if "list" in whole.calls and not set(key.fields) & set(whole.filters):
        text = f"the key of {whole.entity} ({', '.join(key.fields)}) has no filter, so it cannot be asked for."
        yield document.error((*at, "key"), text, hint="Add one of them to filters.")


def _form(form: str, zone: str, document: Document, at: Path) -> Iterator[ConfigurationError]:
    """A form of time and a zone that can be read."""
    try:
        time_form(form, zone)
    except ConfigurationError as error:
        yield document.error(at, error.message, hint=error.hint)


def _fields(
    fields: Mapping[str, FieldSpec | None], profile: Profile, document: Document, at: Path
) -> Iterator[ConfigurationError]:
    known = (*BUILT_IN, *profile.kinds)
    for name, spec in fields.items():
        if spec is None:
            continue
        where = (*at, name)
        if spec.kind not in known:
            yield document.error(where, f"there is no kind {spec.kind!r}: there is {', '.join(known)}.")
        if spec.fields and spec.kind not in {"object", "list"}:
            yield document.error(where, f"only an object or a list has fields, {name} is {spec.kind}.")
        if spec.words and spec.kind != "choice":
            yield document.error(where, f"only a choice has words, {name} is {spec.kind}.")
        if spec.kind in {"time", "date"}:
            yield from _form(spec.format, spec.zone, document, where)
        yield from _fields(spec.fields, profile, document, (*where, "fields"))


def _names(template: Any, kind: str, profile: Profile, document: Document, at: Path) -> Iterator[ConfigurationError]:
    allowed = NAMES[kind]
    for name in dict.fromkeys(holes(template)):
        first, _, rest = name.partition(".")
        if first == "parameters" and rest in profile.parameters:
            continue
        if first == "parameters" and "parameters" in allowed:
            yield document.error(at, f"{{{name}}}: parameters declares no {rest!r}.")
        elif first not in allowed:
            yield document.error(at, f"{{{name}}} means nothing here: there is {_shown(allowed)}.")


def _shown(names: Collection[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names - {"parameters"}))  # type: ignore[operator]


def _plain(model: Any) -> Any:
    """The texts of a part of a profile, without what only describes it."""
    if model is None:
        return None
    skipped = {"verified", "assumed"}
    texts = model.model_dump(exclude=skipped)
    return (texts, texts.get("path", "")) if isinstance(model, Call) else texts
