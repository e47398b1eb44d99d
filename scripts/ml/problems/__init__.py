"""Made-up services over simulated weeks, healthy ones and some with problems of known sizes, for the detectors."""
