from tollhouse.lake.contracts import load_contracts
from tollhouse.lake.run import STEPS
from tollhouse.orchestration.nodes import step_nodes
from tollhouse.project import project_dir

CONTRACTS = load_contracts(project_dir())


def test_every_step_runs_in_exactly_one_node() -> None:
    steps = [step.name for node in step_nodes(CONTRACTS) for step in node.steps]

    assert sorted(steps) == sorted(step.name for step in STEPS)


def test_every_table_belongs_to_exactly_one_node() -> None:
    tables = [table.contract.table for node in step_nodes(CONTRACTS) for table in node.tables]

    assert sorted(tables) == sorted(CONTRACTS)


def test_the_order_of_the_steps_respects_every_edge() -> None:
    done: set[str] = set()
    for node in step_nodes(CONTRACTS):
        own = {table.contract.table for table in node.tables}
        for table in node.tables:
            assert table.inputs <= done | own, table.contract.table
        done |= own


def test_calls_turn_in_doubt_in_the_node_of_their_table() -> None:
    node = next(node for node in step_nodes(CONTRACTS) if node.name == "silver.invocations")

    assert [step.name for step in node.steps] == ["silver.invocations", "resolve_pending"]
