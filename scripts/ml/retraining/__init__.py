"""How challengers are trained anew from the stores, judged on later deployments, and kept."""
