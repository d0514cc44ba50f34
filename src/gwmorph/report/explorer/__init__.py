"""The explorer: one page, without network or server, with every window and event of a run."""
