"""Which service an alert is about, by its labels.

What would surprise: an exporter such as kube-state-metrics tells of others. `job`, `service` and `instance` are then
the exporter's own, and so are `pod` and `container` where the metric had none; what an alert is about is in the labels
that name a workload.
"""

import re

LABELS = (
    "service",
    "app",
    "app_kubernetes_io_name",
    "deployment",
    "statefulset",
    "daemonset",
    "cronjob",
    "job_name",
    "horizontalpodautoscaler",
    "job",
    "pod",
    "container",
    "node",
    "namespace",
    "instance",
)
"""The labels that may name the service; the first that an alert has, and that is not its exporter's, counts."""

LAST = "alertname"
"""What is left when none of them does."""

EXPORTERS = ("kube-state-metrics", "kubelet", "cadvisor")
"""Those that tell of others: how their jobs end."""

_MADE = ("pod", "job_name")
"""Labels whose names Kubernetes makes from the workload's."""

_SUFFIX = re.compile(
    r"-\d{8}-[a-z0-9]{5}$"  # a pod of a job of a cron job
    r"|-(?=[a-z]*\d)[a-z0-9]{6,10}-[a-z0-9]{5}$"  # of a deployment
    r"|-[bcdfghjklmnpqrstvwxz2456789]{5}$"  # of a daemon set or a job: no vowels, so that no words come of it
    r"|-\d{1,8}$",  # of a stateful set, or a job of a cron job
    re.ASCII,
)


def service_of(labels: dict[str, str]) -> str:
    """Return the service that an alert with these labels is about, empty when no label names one.

    >>> service_of({"job": "kube-state-metrics", "service": "mon-kube-state-metrics", "pod": "shop-7d9f8b6c5d-x2x9k"})
    'shop'
    >>> service_of({"job": "kube-state-metrics", "instance": "10.0.0.7:8080"})
    'kube-state-metrics'
    """
    told_by = labels.get("job") or labels.get("service", "")
    exporter = next((each for each in EXPORTERS if told_by.endswith(each)), "")
    for name in LABELS:
        value = labels.get(name, "")
        if value and not (exporter and (name == "instance" or workload_of(value).endswith(exporter))):
            return workload_of(value) if name in _MADE else value
    return exporter or labels.get(LAST, "")


def workload_of(name: str) -> str:
    """Return the workload that Kubernetes made a pod or job of this name for.

    >>> [workload_of(name) for name in ("shop-7d9f8b6c5d-x2x9k", "db-0", "agent-x2x9k", "backup-29384210-zq5vk")]
    ['shop', 'db', 'agent', 'backup']
    >>> workload_of("shop-proxy")
    'shop-proxy'
    """
    return _SUFFIX.sub("", name) or name
