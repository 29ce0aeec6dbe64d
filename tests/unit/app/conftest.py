"""A small project on disk that tests break in one place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from isthmus.app.project.loading import load_project
from isthmus.app.project.problems import ProjectProblems
from isthmus.app.project.project import Project
from isthmus.errors import ConfigurationError

FILES: Mapping[str, str] = {
    "isthmus.yaml": """\
project: mine
variables: {data: input}
connections:
  maintenance:
    system: files
    role: operations
    time_zone: Australia/Perth
    poll: 60s
    folder: ${data}/lists
    sets:
      work_orders: {file: work_orders.csv, entity: work_order, key: [Order]}
    lenses:
      work_order: mappings/work_order.yaml
  finance:
    system: business_central
    role: finance
    tenant: contoso.example
    client_id: some-application
    secret: env:BC_SECRET
    companies:
      PIT MINING: {time_zone: Australia/Perth, posting_from: 2026-01-01}
      QUARRY: {}
""",
    "flows/costs.yaml": """\
flow: costs
template: work-order-costs
source: {connection: maintenance}
target: {connection: finance, company: PIT MINING}
rules: maintenance
""",
    "rules/maintenance.yaml": """\
rules: maintenance
rows:
  - name: all
    when: {source: [stock, invoice, payroll, direct]}
    account: "8410"
    offset: "2910"
""",
    "mappings/work_order.yaml": "entity: work_order\nnative: work_orders\nfields:\n  number: {at: Order}\n",
    "lookups/centres.csv": "key,value\nA,0100\nB,0200\n",
}


class Folder:
    """The project folder of one test."""

    def __init__(self, path: Path, outside: Path) -> None:
        self.path = path
        self.outside = outside
        self.environ: dict[str, str] = {}
        self.sets: dict[str, str] = {}
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        self.write(name, text.replace(old, new, 1))

    def load(self) -> Project:
        return load_project(self.path, sets=self.sets, environ=self.environ, cwd=self.outside)

    def problems(self) -> tuple[ConfigurationError, ...]:
        with pytest.raises(ProjectProblems) as caught:
            self.load()
        return caught.value.problems

    def problem(self) -> str:
        """The only problem, with its place."""
        problems = self.problems()
        assert len(problems) == 1, [str(problem) for problem in problems]
        return str(problems[0])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path, outside = tmp_path / "project", tmp_path / "elsewhere"
    outside.mkdir()
    return Folder(path, outside)
