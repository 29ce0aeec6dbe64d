"""Reading $metadata."""

from __future__ import annotations

import pytest

from isthmus.connectors.dynamics._edmx import parse_metadata
from isthmus.errors import Retry

EDMX = b"""<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.NAV" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="journal"><Key><PropertyRef Name="id"/></Key>
 <Property Name="id" Type="Edm.Guid"/><Property Name="code" Type="Edm.String" MaxLength="10"/>
 <Property Name="posted" Type="Edm.DateTimeOffset"/><Property Name="kind" Type="Microsoft.NAV.kind"/>
 <Property Name="odd" Type="Edm.Stream"/>
 <NavigationProperty Name="journalLines" Type="Collection(Microsoft.NAV.journalLine)"/>
 <NavigationProperty Name="account" Type="Microsoft.NAV.account"/></EntityType>
<EntityType Name="journalLine"><Property Name="amount" Type="Edm.Decimal" Scale="Variable"/></EntityType>
<EntityContainer Name="NAV"><EntitySet Name="journals" EntityType="Microsoft.NAV.journal"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_fields_have_types_lengths_and_lists() -> None:
    fields = {field.name: field for field in parse_metadata(EDMX).describe("journals")}
    assert {name: field.type for name, field in fields.items()} == {
        "id": "id",
        "code": "text",
        "posted": "time",
        "kind": "enum",
        "odd": "unknown",
        "journalLines": "list",
    }
    assert fields["code"].max_length == 10
    assert [field.name for field in fields["journalLines"].fields] == ["amount"]


def test_an_unknown_set_has_no_fields() -> None:
    assert parse_metadata(EDMX).describe("nothing") == ()


BOMB = b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'


@pytest.mark.parametrize("text", [b"<html>", b"", BOMB, b"not xml"])
def test_what_is_not_metadata_is_asked_again(text: bytes) -> None:
    with pytest.raises(Retry) as caught:
        parse_metadata(text)
    assert caught.value.code == "metadata"
