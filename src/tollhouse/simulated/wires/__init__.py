"""The protocols, each with the same files: ``request`` reads what is asked, ``answer`` writes what comes back."""
