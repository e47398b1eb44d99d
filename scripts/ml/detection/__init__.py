"""How good the anomaly score is on labelled series: the Numenta Anomaly Benchmark's score, and plain precision and
recall.
"""
