"""Laws of the three-way merge, over states of every shape."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.sync.merge import ABSENT, Merged, Policy, Side, merge

KEYS = {"lines": "no"}
values = st.one_of(st.none(), st.sampled_from(["", "a", "b", "c", "1.50"]), st.booleans())
names = st.sampled_from(["name", "code", "terms", "amount"])
flat = st.dictionaries(names, values, max_size=4)
elements = st.lists(
    st.tuples(st.sampled_from("1234"), flat).map(lambda pair: {"no": pair[0], **pair[1]}),
    unique_by=lambda element: element["no"],
    max_size=4,
)


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    state: dict[str, Any] = dict(draw(flat))
    if draw(st.booleans()):
        state["address"] = draw(flat)
    if draw(st.booleans()):
        state["lines"] = draw(elements)
    return state


policies = st.one_of(
    st.just(Policy("latest")),
    st.just(Policy("review")),
    st.sampled_from(["eam", "erp"]).map(lambda o: Policy("owner", o)),
)


def merged(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any], policy: Policy) -> Merged:
    return merge(base, ours, theirs, mine=Side("hub"), other=Side("eam"), policy=lambda _: policy, list_keys=KEYS)


laws = settings(max_examples=200)


@laws
@given(base=states(), ours=states(), policy=policies)
def test_an_echo_changes_nothing(base: dict[str, Any], ours: dict[str, Any], policy: Policy) -> None:
    found = merged(base, ours, base, policy)
    assert found.state == ours
    assert found.changes == ()
    assert not found.revert


@laws
@given(base=states(), theirs=states(), policy=policies)
def test_an_edit_on_one_side_is_taken_unless_somebody_else_owns(
    base: dict[str, Any], theirs: dict[str, Any], policy: Policy
) -> None:
    found = merged(base, base, theirs, policy)
    if policy == Policy("owner", "erp"):
        assert found.state == base
        assert found.revert == bool(found.changes)
        return
    for name, value in theirs.items():
        if name not in {"lines", "address"} or name not in base:
            assert found.state[name] == value
    for name in base.keys() - theirs.keys():
        assert found.state[name] == base[name]  # not told is not emptied


@laws
@given(base=states(), ours=states(), theirs=states(), policy=policies)
def test_what_was_merged_shown_again_is_an_echo(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any], policy: Policy
) -> None:
    """The base becomes what they showed: the same page again finds nothing to do."""
    once = merged(base, ours, theirs, policy)
    again = merged(theirs, once.state, theirs, policy)
    assert again.state == once.state
    assert again.changes == ()


@laws
@given(base=states(), ours=states(), theirs=states(), policy=policies)
def test_no_value_of_either_side_is_overwritten_silently(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any], policy: Policy
) -> None:
    found = merged(base, ours, theirs, policy)
    told = {change.path: change for change in found.changes}
    for name in ours.keys() | theirs.keys():
        before, after = ours.get(name, ABSENT), found.state.get(name, ABSENT)
        if isinstance(before, dict | list) or isinstance(after, dict | list):
            continue
        if before != after:
            assert told[name].old == before or told[name].old is ABSENT
        shown = theirs.get(name, ABSENT)
        if (
            shown is not ABSENT
            and shown != base.get(name, ABSENT)
            and shown != after
            and not isinstance(shown, dict | list)
        ):
            assert told[name].lost == shown


@laws
@given(base=states(), ours=states(), theirs=states())
def test_where_another_owns_nothing_of_theirs_gets_in(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    assert merged(base, ours, theirs, Policy("owner", "erp")).state == ours


@laws
@given(base=states(), ours=states(), lines=st.permutations(["1", "2", "3"]))
def test_the_order_of_elements_says_nothing(base: dict[str, Any], ours: dict[str, Any], lines: list[str]) -> None:
    listed = [{"no": no, "amount": "1.50"} for no in "123"]
    base, ours = base | {"lines": listed}, ours | {"lines": listed}
    shuffled = [next(line for line in listed if line["no"] == no) for no in lines]
    assert merged(base, ours, base | {"lines": shuffled}, Policy("latest")).state == ours
