"""Reading sources into bronze: staged files, a durable batch, then three commits that can be repeated."""
