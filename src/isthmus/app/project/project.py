"""The project as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isthmus.app.project.schema import ConnectionConfig, FlowConfig, ProjectConfig
from isthmus.model.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project folder as it was read. Nothing in it changes afterwards.

    folder      absolute path of the project folder; all other paths are absolute too
    home        folder of the embedded ledger, logs and keys
    config      isthmus.yaml with variables replaced; secrets are still references
    document    isthmus.yaml with its lines, variables not replaced
    variables   what each `${name}` stood for
    flows       by name; `flow_documents` holds the same with lines, template merged in
    mappings    lens documents by path relative to the project folder, `mappings/work_order.yaml`
    rules       rule documents by the name of the rules
    tables      lookup tables by name: key -> value
    content     the whole configuration as canonical JSON: goes into the ledger as a version
    digest      SHA-256 of `content`; equal digests mean equal configuration, wherever the folder stands
    """

    folder: Path
    home: Path
    config: ProjectConfig
    document: Document
    variables: Mapping[str, str]
    flows: Mapping[str, FlowConfig]
    flow_documents: Mapping[str, Document]
    mappings: Mapping[str, Document]
    rules: Mapping[str, Document]
    tables: Mapping[str, Mapping[str, str]]
    content: str
    digest: str

    @property
    def name(self) -> str:
        """Name of the project."""
        return self.config.project

    @property
    def connections(self) -> Mapping[str, ConnectionConfig]:
        """Connections by name."""
        return self.config.connections

    def lens_documents(self, connection: str, entity: str) -> tuple[Document, ...]:
        """What the project says of a lens: its own mapping, else the overlays, in the order they are laid on."""
        config = self.connections[connection]
        own = config.lenses.get(entity)
        names = (*((own,) if own else ()), *config.overlays.get(entity, ()))
        return tuple(self.mappings[name] for name in names)

    def sandbox_seed(self, connection: str) -> Path | None:
        """Seed file of the simulator that stands in for a connection, None for a real environment."""
        seed = self.connections[connection].sandbox
        return self.folder / seed if seed is not None else None
