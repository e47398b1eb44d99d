"""Rebuilds the summaries' database from the raw log, compares it with the live one, and swaps it in.

No rule of the stream is written here a second time: the records of each step go through `vigia.streaming.step.Step`
itself. What lies here is what surrounds it: where the records come from, where the results go, and how two databases
are held against each other. `docs/runbooks/rebuild.md` says when to use it.
"""
