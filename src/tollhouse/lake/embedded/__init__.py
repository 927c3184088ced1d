"""The embedded engine: DuckDB computes, delta-rs commits."""
