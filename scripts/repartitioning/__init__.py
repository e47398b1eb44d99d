"""The parts of `python -m scripts.topics repartition`: more partitions for the topics of an agent.

What must hold first is in `checks.py`, what is done in `acting.py`; where everything then belongs, in
`vigia/streaming/repartition.py`. `docs/runbooks/repartition.md` is for who does it.
"""
