"""Detectors: functions of closed window and state that say when something is wrong, and when it is over. They look at
nothing else; the state is theirs, and may be changed in place.
"""
