"""The challengers of the online model: batch models over the same columns, and the files in which they are kept.

No lane imports this: scikit-learn takes seconds to import, and challengers are asked in a process beside them.
"""
