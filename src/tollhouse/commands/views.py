"""``tollhouse views``: the SQL views as DDL for another warehouse."""

import click


@click.command("views", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--dialect",
    type=click.Choice(["databricks", "trino", "snowflake", "bigquery", "duckdb"]),
    default="databricks",
    show_default=True,
)
@click.option("--catalog", default="tollhouse", show_default=True, help="Catalog of the tables; stands for `system`.")
@click.pass_obj
def views(config: str | None, dialect: str, catalog: str) -> None:
    """Print all views as CREATE statements.

    The duckdb script names the files of the tables' newest versions and needs nothing else.
    """
    from tollhouse.lake.lakehouse import Lakehouse
    from tollhouse.sql.door import Door
    from tollhouse.sql.publishing import render_views

    with Lakehouse.open(config) as lake:
        door = Door(lake)
        relations = {name: lake.relation_sql(name) for name in lake.tables()} if dialect == "duckdb" else None
        maps = {column.name for c in lake.contracts.values() for column in c.columns if column.type.startswith("MAP")}
        script = render_views(dialect, catalog, door.endpoints(), door.views, relations=relations, map_columns=maps)
    click.echo(script, nl=False)
