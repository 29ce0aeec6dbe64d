"""An entity ready to work with: calls compiled, places found by functions, records made of wire objects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from isthmus.connectors.rest.client import ReadyCall, ready
from isthmus.connectors.rest.declared.calls import Filter, ListCall, NoteCall, WriteCall
from isthmus.connectors.rest.declared.entities import Filtered, KeySpec, RangeSpec
from isthmus.connectors.rest.declared.fields import FieldSpec
from isthmus.connectors.rest.declared.paging import Paging
from isthmus.connectors.rest.declared.profile import Profile
from isthmus.connectors.rest.declared.resolving import Whole, assumptions, whole_entities
from isthmus.connectors.rest.moments import NotTime, TimeForm, time_form
from isthmus.connectors.rest.places import getter, text_at
from isthmus.connectors.rest.shapes import Around, Shape, shape_of
from isthmus.connectors.rest.templates import UNSET, compiled_query
from isthmus.contract.capabilities import ChangeDetection, EntitySupport, Idempotency
from isthmus.contract.records import NativeRecord
from isthmus.errors import ConfigurationError

Get = Callable[[Any], Any]
Query = Callable[[Mapping[str, Any]], list[tuple[str, str]]]
_DETECTIONS: Mapping[str, ChangeDetection] = {"filter": "watermark", "scan": "scan", "none": "none"}
_ENCODER = msgspec.json.Encoder(order="deterministic")


class Listing(Struct, frozen=True):
    """The call that shows many records, and where they stand.

    streams    further query of a read of changes
    variants   further queries it is read with one after the other, at least one
    """

    call: ReadyCall
    id: Callable[[Any], str]
    items: Get
    items_at: str
    paging: Paging
    partial: bool
    streams: Query
    variants: tuple[Query, ...]


class Writing(Struct, frozen=True):
    """A writing call, and what its good answer holds."""

    call: ReadyCall
    spec: WriteCall
    record: Get
    id: Get


class Asked(Struct, frozen=True):
    """A filter: the call to ask with and how values are put into it."""

    spec: Filter
    call: ReadyCall | None
    items: Get | None
    items_at: str
    partial: bool
    query: Query


class Facts(Struct, frozen=True):
    """One entity.

    id, number, version, external_id   what stands there as text, "" without
    changed   the moment of the last change, None where it tells none
    form      form of that moment on the wire, for reads by time
    gone      whether the record is marked as deleted
    parts     native list -> call that reads it, and where its elements stand
    joins     field to be added -> where the id of the other record stands, its set, where the field stands there
    """

    entity: str
    native: str
    whole: Whole
    listing: Listing | None
    get: ReadyCall | None
    record_at: Get
    writing: Mapping[str, Writing]
    asked: Mapping[str, Asked]
    ranges: Mapping[str, RangeSpec]
    parts: Mapping[str, tuple[ReadyCall, Get]]
    joins: Mapping[str, tuple[Get, str, Get]]
    shape: Shape
    form: TimeForm | None
    overlap: int
    id: Callable[[Any], str]
    number: Callable[[Any], str]
    version: Callable[[Any], str]
    changed: Callable[[Any], datetime | None]
    gone: Callable[[Any], bool]
    assumed: tuple[str, ...]

    @property
    def key(self) -> KeySpec | None:
        return self.whole.own.key

    @property
    def id_filter(self) -> str:
        """The filter that finds records by id, several at once; "" without."""
        return next((name for name in ("id", self.whole.id.at) if name in self.asked), "")

    def listed(self) -> Listing:
        """The list call. Raises ConfigurationError where the profile has none."""
        if self.listing is None:
            raise ConfigurationError(
                f"{self.native} cannot be listed.", hint="Add a call `list` to the entity in the profile."
            )
        return self.listing

    def record(self, data: dict[str, Any]) -> NativeRecord:
        """The native record of an object of the wire; `data` becomes its data."""
        modified = self.changed(data)
        gone = self.gone(data)
        native = self.shape.read(data)
        for name, lists in self.whole.own.united.items():
            native[name] = [_told(element, one) for one in lists for element in native.get(one) or ()]
        version = "" if self.parts else self.version(data)
        return NativeRecord(
            id=self.id(data),
            data=native,
            version=version or digest(native),
            modified_at=modified,
            deleted=gone,
            external_id=_text(native.get(self.whole.external_id)) if self.whole.external_id else "",
        )

    def wire_id(self, native_id: str) -> Any:
        """The id as it stands on the wire; UNSET where no record can have such a one."""
        if self.whole.id.wire != "number":
            return native_id
        return int(native_id) if native_id.isascii() and native_id.isdigit() else UNSET


def _told(element: Any, native_list: str) -> Any:
    """An element of a united list: where it comes from, and a key that no other one has."""
    if not isinstance(element, dict):
        return element
    return {**element, "list": native_list, "lineKey": f"{native_list}/{element.get('id')}"}


def digest(data: Mapping[str, Any]) -> str:
    """A version made of the content: equal for equal data."""
    return hashlib.blake2b(_ENCODER.encode(data), digest_size=16).hexdigest()


def facts_of(profile: Profile, zone: str = "UTC") -> dict[str, Facts]:
    """Every entity of a profile by its native set. Raises ConfigurationError for a zone or form nobody knows."""
    return {whole.own.native: _facts(profile, whole, zone) for whole in whole_entities(profile).values()}


def _facts(profile: Profile, whole: Whole, zone: str) -> Facts:
    changes = whole.changes
    form = time_form(changes.format, changes.zone) if isinstance(changes, Filtered) else None
    list_call, get_call = whole.calls.get("list"), whole.calls.get("get")
    record_at = profile.record
    if get_call is not None and getattr(get_call, "record", None) is not None:
        record_at = get_call.record  # type: ignore[attr-defined]
    return Facts(
        entity=whole.entity,
        native=whole.own.native,
        whole=whole,
        listing=_listing(list_call, whole) if isinstance(list_call, ListCall) else None,
        get=ready(get_call) if get_call is not None else None,
        record_at=getter(record_at),
        writing={name: _writing(call, profile) for name, call in whole.calls.items() if isinstance(call, WriteCall)}
        | _status_call(profile, whole),
        asked={name: _asked(one) for name, one in whole.filters.items()},
        ranges=whole.ranges,
        parts={
            name: (ready(ListCall(path=part.path, query=part.query)), getter(part.items))
            for name, part in whole.own.parts.items()
        },
        joins={name: (getter(one.by), one.set, getter(one.at)) for name, one in whole.own.joins.items()},
        shape=shape_of(_with_id(whole), Around(profile, whole.id.wire, zone)),
        form=form,
        overlap=int(changes.overlap / timedelta(milliseconds=1)) if isinstance(changes, Filtered) else 0,
        id=_texts(whole.id.at),
        number=_texts(whole.number) if whole.number else lambda data: "",
        version=_texts(whole.version.at) if whole.version is not None else lambda data: "",
        changed=_moments(changes.at, form) if isinstance(changes, Filtered) and form else lambda data: None,
        gone=_deleted(whole),
        assumed=assumptions(profile, whole.entity),
    )


def _with_id(whole: Whole) -> dict[str, FieldSpec]:
    """The declared fields, the id as text among them."""
    at = whole.id.at
    return dict(whole.fields) if "." in at or at in whole.fields else {at: FieldSpec(kind="id"), **whole.fields}


def _listing(call: ListCall, whole: Whole) -> Listing:
    items = call.items if call.items is not None else whole.paging.items
    return Listing(
        call=ready(call),
        id=_texts(whole.id.at),
        items=getter(items),
        items_at=items,
        paging=whole.paging,
        partial=call.partial,
        streams=compiled_query(getattr(whole.changes, "query", {})),
        variants=tuple(compiled_query(one) for one in call.variants or ({},)),
    )


def _writing(call: WriteCall, profile: Profile) -> Writing:
    record = call.record if call.record is not None else profile.record
    return Writing(ready(call), call, getter(record), getter(call.id) if call.id is not None else lambda body: UNSET)


def _status_call(profile: Profile, whole: Whole) -> dict[str, Writing]:
    status = whole.own.status
    return {"status": _writing(status.call, profile)} if status is not None and status.call is not None else {}


def _asked(one: Filter) -> Asked:
    call = one.call
    place = call.items if call is not None else None
    return Asked(
        spec=one,
        call=ready(call) if call is not None else None,
        items=getter(place) if place is not None else None,
        items_at=place or "",
        partial=call is not None and call.partial,
        query=compiled_query(one.query),
    )


def _texts(place: str) -> Callable[[Any], str]:
    get = getter(place)
    return lambda data: text_at(data, get)


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _moments(place: str, form: TimeForm) -> Callable[[Any], datetime | None]:
    get, read = getter(place), form.read

    def changed(data: Any) -> datetime | None:
        value = get(data)
        if value is UNSET or value is None:
            return None
        try:
            return read(value)
        except NotTime:
            return None

    return changed


def _deleted(whole: Whole) -> Callable[[Any], bool]:
    mark = whole.deleted
    if mark is None:
        return lambda data: False
    get, words = getter(mark.at), frozenset(mark.values)
    if words:
        return lambda data: str(get(data)) in words
    return lambda data: get(data) not in (UNSET, None, False, "")


def note_call(facts: Facts) -> NoteCall | None:
    """The declared call of notes."""
    found = facts.whole.calls.get("note")
    return found if isinstance(found, NoteCall) else None


def _idempotency(whole: Whole, *, creates: bool, unique: bool) -> Idempotency:
    if creates:
        return "client_key" if unique else "natural_key"
    return "probe" if whole.own.actions else "none"


def support_of(facts: Facts, batch: int) -> EntitySupport:
    """What can be done with the entity, as the core asks for it."""
    whole, key = facts.whole, facts.key
    detection = _DETECTIONS[whole.changes.how]
    creates = {"create", "post"} & set(whole.own.actions)
    unique = key is not None and key.unique and not key.mark
    return EntitySupport(
        native=facts.native,
        read=facts.listing is not None and detection != "none",
        changes=detection,
        sees_deletes=whole.deleted is not None or detection == "scan",
        actions=frozenset(whole.own.actions),
        idempotency=("client_key" if unique else "natural_key")
        if creates
        else ("probe" if whole.own.actions else "none"),
        batch=batch,
        settle=whole.settle.at_most,
        versions=whole.version is not None and whole.version.guard != "none",
        external_id=whole.external_id,
        requests_each=1 + (whole.version is not None and whole.version.guard == "read"),
        assumed=facts.assumed,
    )
