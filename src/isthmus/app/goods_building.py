"""Flows of goods: receipts, stock and requisitions, from their files to flows that run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from isthmus.app.flow_parts import books_of, company_settings, condition, partitions, routing, target_companies
from isthmus.app.project.project import Project
from isthmus.app.project.schema import FlowConfig
from isthmus.contract.capabilities import Capabilities
from isthmus.controls.validation import Check, parse_checks
from isthmus.ledger.types import StreamKey
from isthmus.model.entity import State
from isthmus.model.finding import Finding
from isthmus.sync.goods_receipts import compare_receipts, goods_receipts, receipt_corrector
from isthmus.sync.procurement import USED_ENTITIES, ProcurementDesk
from isthmus.sync.requisitions import compare_drafts, purchase_requisitions
from isthmus.sync.stock_transactions import compare_movements, movement_corrector, stock_transactions
from isthmus.sync.world import LANES, FlowSpec, RetrySpec, Step, Work

Compare = Callable[[State, State], Finding | None]
Correct = Callable[[State, Work, int], Sequence[Work]]


def receipts(project: Project, name: str, config: FlowConfig, known: Mapping[str, Capabilities]) -> FlowSpec:
    """What was accepted of an order, received once."""
    desk = _desk(project, config)
    steps = goods_receipts(desk, config.closed_period, config.cut_over, _checks(project, name, config))
    return _goods(project, name, config, known, desk, steps, compare_receipts, receipt_corrector(desk), "post")


def movements(project: Project, name: str, config: FlowConfig, known: Mapping[str, Capabilities]) -> FlowSpec:
    """Movements of stock, each booked once."""
    desk = _desk(project, config)
    steps = stock_transactions(desk, config.closed_period, config.cut_over, _checks(project, name, config))
    return _goods(project, name, config, known, desk, steps, compare_movements, movement_corrector(desk), "post")


def requisitions(project: Project, name: str, config: FlowConfig, known: Mapping[str, Capabilities]) -> FlowSpec:
    """A requisition becomes one draft order."""
    desk = _desk(project, config)
    steps = purchase_requisitions(_checks(project, name, config))
    return _goods(project, name, config, known, desk, steps, compare_drafts, _uncorrected, "create")


def _goods(
    project: Project, name: str, config: FlowConfig, known: Mapping[str, Capabilities], desk: ProcurementDesk,
    steps: tuple[Step, ...], compare: Compare, correct: Correct, action: str,
) -> FlowSpec:  # fmt: skip
    return FlowSpec(
        name=name,
        source=config.source.connection,
        source_entity=config.source.entity,
        target=config.target.connection,
        target_entity=config.target.entity,
        action="post" if action == "post" else "create",
        transition=config.transition or "changed",
        route=routing(project, config),
        when=condition(project, name, config),
        desk=desk,
        steps=steps,
        compare=compare,
        correct=correct,
        needs=tuple(
            StreamKey(config.target.connection, entity, company)
            for company in target_companies(project, config)
            for entity in USED_ENTITIES
            if entity in known[config.target.connection].entities
        ),
        lane=LANES["transactions"],
        retry=RetrySpec(config.retries.attempts, config.retries.first, config.retries.most),
        wait_limit=config.wait_limit,
        deletions=config.deletions,
        write_back=config.write_back,
        period_policy=config.closed_period,
    )


def _desk(project: Project, config: FlowConfig) -> ProcurementDesk:
    source = config.source.connection
    scopes = [one or books_of(project, source) for one in partitions(project.connections[source])]
    return ProcurementDesk(company_settings(project, config), scopes, source)


def _checks(project: Project, name: str, config: FlowConfig) -> Sequence[Check]:
    return parse_checks(project.flow_documents[name], config.source.entity) if config.checks else ()


def _uncorrected(booked: State, work: Work, serial: int) -> Sequence[Work]:
    """A draft order is amended where it is; nothing counters it."""
    del booked, work, serial
    return ()
