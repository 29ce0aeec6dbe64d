"""A site of a drill: the example in trouble (tests/integration/trouble/bench.py), and what a drill measures it by."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from integration.trouble.bench import ROWS, Server, Site, Told
from integration.work_order_costs.bench import split_in_books, split_of

#: Rows of a second day's work.
LATER = (
    "2025-02-03,A,Bucket will not open,PM01,183.05",
    "2025-02-04,B,Alternator not charging,PM01,742.15",
    "2025-02-05,E,500 h service,PM02,1302.80",
)


class Drill(Site):
    """A site whose list is told by rows, and whose end state can be compared."""

    def first_rows(self) -> None:
        self.save(*ROWS)
        assert self.box  # commands find it running

    def add(self, *rows: str) -> None:
        """More rows at the end of the list."""
        self.lines += rows
        self.save()

    def backup(self, name: str = "ledger.dump") -> Path:
        target = self.home / name
        told = self.command("backup", str(target))
        assert told.code == 0, told
        return target

    def restore(self, source: Path, *words: str) -> Told:
        told = self.command("restore", str(source), *words)
        assert told.code == 0, told
        return told

    def restore_when_free(self, source: Path) -> dict[str, Any]:
        """Restore after a worker was killed: it counts as active until its heartbeat is old."""
        with self.ledger() as connection:
            connection.execute("update procrastinate_workers set last_heartbeat = now() - interval '1 min'")
        return dict(json.loads(self.restore(source, "--json").out))

    # processes

    def worker(self) -> Server:
        """One more worker, as a process; it works when this returns."""
        server = Server(self, self.start("worker"))
        self._up.append(server)
        assert server.process.stdout is not None
        server.process.stdout.readline()
        return server

    def log_turns(self) -> None:
        """Keep who begins a turn of which connection, and when: the database tells each by itself."""
        with self.ledger() as connection:
            connection.execute(
                """create table turns (connection text, holder text, at timestamptz default clock_timestamp());
                   create function note_turn() returns trigger language plpgsql as
                   $$ begin insert into turns values (new.id, new.holder); return new; end $$;
                   create trigger note_turn after update of fence on connection for each row
                   when (new.fence > old.fence) execute function note_turn()"""
            )

    def turns(self, name: str, pid: int) -> list[datetime]:
        """When the process began turns of a connection."""
        found = self.ask("select at from turns where connection = %s and holder like %s order by at", name, f"%/{pid}")
        return [row[0] for row in found]

    def reading(self, entity: str) -> bool:
        """Whether the simulator was asked for an entity by now."""
        return any(entity in path for path in self.box.calls()["by_path"])

    def close_box(self) -> None:
        """From now on commands start the simulator themselves."""
        if self._box is not None:
            self._box.stop()
            self._box = None

    def ends(self, code: int = 0) -> Told:
        """Sync, and hold it to its exit code."""
        told = self.sync()
        assert told.code == code, told
        return told

    def end_state(self) -> dict[str, Any]:
        """Everything that a run leaves behind at both ends, apart from times and running numbers of ours."""
        return {
            "books": self.books(),
            "messages": self.ask("select key, state, code, number, amount from message order by key"),
            "told": self.told(),
        }

    def told(self) -> list[tuple[str, ...]]:
        """What the results file says, line by line."""
        with (self.list.parent / "work_orders.results.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        return sorted(tuple(row[name] for name in ("line", "id", "state", "document", "amount")) for row in rows)

    def holds_the_list(self) -> None:
        """The books hold the list: every cost once, no cost twice, nothing else, nothing left lying."""
        costing = [row for row in (line.split(",") for line in self.lines[1:]) if Decimal(row[4])]
        books = self.books()
        assert split_in_books(books) == split_of(costing)
        assert set(self.postings().values()) == {1}
        assert int(books["documents"]) == len(self.messages("state = 'done'"))
        assert int(books["unposted_lines"]) == 0


__all__ = ["LATER", "ROWS", "Drill"]
