"""What Dagster is told, as plain values and functions; ``pipelines/`` turns them into its definitions."""
