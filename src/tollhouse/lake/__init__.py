"""The tables: contracts, engines and the steps that fill them."""
