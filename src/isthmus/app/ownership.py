"""Who owns which field: the matrix both sides sign."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.app.project.project import Project
from isthmus.app.wiring import policies
from isthmus.model.entity import EntityType, entities

COLUMNS = (
    "entity",
    "field",
    "description",
    "owner",
    "rule",
    "decided_by",
    "signed_by_finance",
    "signed_by_operations",
    "date",
)
_RULES = {
    "owner": "edits elsewhere are not taken and are audited",
    "latest": "the later edit wins; both are audited",
    "review": "edits on both sides are held for a person",
}
_RESTORED = "edits elsewhere are restored and audited"
_MADE = "made from the source; once booked it is countered and made anew, never changed"


def matrix(project: Project) -> Iterator[tuple[str, ...]]:
    """One row per field of every entity a flow moves; the last three columns are left to be signed."""
    policy = policies(project)
    kept = {flow.source.entity for flow in project.flows.values() if flow.transition is None}
    makers = {
        flow.target.entity: name
        for name, flow in project.flows.items()
        if flow.transition is not None and flow.target.entity not in kept
    }
    for name in _moved(project):
        kind = entities()[name]
        for path in kind.paths():
            field = kind.field(path)
            said = field.description if field is not None else ""
            if name in makers:
                owner, rule, decided = f"flow {makers[name]}", _MADE, project.flow_documents[makers[name]].file
            else:
                found = policy(name, path)
                owner = found.owner or "nobody alone"
                rule = _RESTORED if name in kept and found.kind == "owner" else _RULES[found.kind]
                decided = _decided_by(project, kind, path)
            yield (name, path, said, owner, rule, decided, "", "", "")


def _moved(project: Project) -> list[str]:
    """Entities of the flows, and what their targets are asked for."""
    return list(
        dict.fromkeys(
            name for flow in project.flows.values() for name in (flow.source.entity, flow.target.entity)
        )
    )  # fmt: skip


def _decided_by(project: Project, kind: EntityType, path: str) -> str:
    for name, flow in project.flows.items():
        if flow.source.entity == kind.name and (path in flow.ownership or "*" in flow.ownership):
            at = ("ownership", path if path in flow.ownership else "*")
            document = project.flow_documents[name]
            line = document.line(at)
            return f"{document.file}:{line}" if line else document.file
    return "the model of Isthmus"
