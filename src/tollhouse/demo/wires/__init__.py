"""Bodies of the demo's calls, one file for each wire protocol: ``request``, ``response`` and its finish reasons."""
