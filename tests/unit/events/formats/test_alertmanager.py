"""Alertmanager's notifications: alerts as incidents and as samples."""

from datetime import UTC, datetime

import pytest

from tests.unit.events.formats.payloads import alert, encoded, notification, translated
from vigia.events.feedback import IncidentOpened, IncidentResolved
from vigia.events.formats import environments
from vigia.events.formats.alertmanager import MAX_ALERTS
from vigia.events.invalid import Invalid, Reason
from vigia.events.samples import Sample

BEGAN = datetime(2026, 8, 3, 7, 52, 26, 739266, UTC).timestamp()


ENDED = datetime(2026, 8, 3, 8, 0, 0, 0, UTC).timestamp()
YEAR_1 = "0001-01-01T00:00:00Z"


def told(*alerts, received_at=None, **fields):
    return list(translated(encoded(notification(*alerts, **fields)), received_at=received_at))


def test_a_firing_alert_opens_an_incident_and_is_a_sample():
    opened, sample = told(alert())
    assert isinstance(opened, IncidentOpened)
    assert (opened.service, opened.severity, opened.title, opened.at) == ("shop", "P1", "5xx above 5 %", BEGAN)
    assert opened.links == ["http://prometheus.example:9090/graph?g0.expr=up", "https://wiki.example/5xx"]
    assert isinstance(sample, Sample)
    assert (sample.service, sample.metric, sample.ts, sample.value) == ("shop", "alert_firing", BEGAN, 1.0)
    assert sample.labels == {"alertname": "HighErrorRate", "fingerprint": "1a30ba71cca2921f"}


def test_a_resolved_alert_resolves_that_incident():
    opened, _ = told(alert())
    resolved, sample = told(alert("resolved", ended="2026-08-03T10:00:00+02:00"))
    assert isinstance(resolved, IncidentResolved)
    assert resolved.incident_id == opened.incident_id
    assert (resolved.at, sample.ts, sample.value) == (1785744000.0, 1785744000.0, 0.0)


@pytest.mark.parametrize("ended", [YEAR_1, "", None, "2026-08-03T09:30:00Z"], ids=["year 1", "empty", "null", "ahead"])
def test_an_end_that_is_not_known_or_lies_ahead_is_when_it_was_told(ended):
    resolved, sample = told(alert("resolved", ended=ended), received_at=ENDED)
    assert isinstance(resolved, IncidentResolved)
    assert (resolved.at, sample.ts, sample.value) == (ENDED, ENDED, 0.0)


def test_an_alert_that_was_told_before_it_began_by_another_clock_ends_when_it_began():
    assert told(alert("resolved"), received_at=BEGAN - 2)[0].at == BEGAN


@pytest.mark.parametrize(
    ("group", "ended", "fires"),
    [
        ("firing", "2026-08-03T09:30:00Z", True),
        ("firing", YEAR_1, True),
        ("firing", "2026-08-03T07:55:00Z", False),
        ("resolved", "2026-08-03T07:55:00Z", False),
        ("resolved", YEAR_1, False),
    ],
)
def test_an_alert_that_does_not_say_whether_it_fires_goes_by_its_end_and_its_group(group, ended, fires):
    first, sample = told(alert(None, ended=ended), status=group, received_at=ENDED)
    assert isinstance(first, IncidentOpened if fires else IncidentResolved)
    assert sample.value == float(fires)


def test_an_alert_that_fires_does_so_whatever_its_end_says():
    for ended in ("2026-08-03T09:30:00Z", "2026-08-03T07:55:00Z", "soon"):
        assert told(alert(ended=ended), received_at=ENDED) == told(alert())


def test_an_alert_that_fires_again_is_another_incident():
    first, again = told(alert())[0], told(alert(began="2026-08-04T09:52:26Z"))[0]
    assert first.incident_id != again.incident_id


def test_a_repeated_notification_says_nothing_new_but_a_changed_text_is_no_conflict():
    first, again = told(alert()), told(alert(), externalURL="http://other:9093", groupKey="{}")
    assert first == again
    changed = alert() | {"annotations": alert()["annotations"] | {"summary": "5xx above 7 %"}}
    assert told(alert(severity="page"))[0].identity == first[0].identity
    assert told(alert(severity="warning"))[0].identity != first[0].identity
    assert told(changed)[0].identity != first[0].identity
    assert told(changed)[0].incident_id == first[0].incident_id


def test_the_same_moment_in_another_zone_is_the_same_incident():
    assert told(alert(began="2026-08-03T07:52:26.739266876Z")) == told(alert())


def test_a_watchdog_is_a_sample_and_no_incident():
    (sample,) = told(alert(severity="none"))
    assert isinstance(sample, Sample)


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"app": "till"}, "shop"),
        ({"service": None, "app": "till", "job": "node"}, "till"),
        ({"service": None, "job": "node"}, "node"),
        ({"service": None}, "HighErrorRate"),
    ],
)
def test_the_service_is_the_first_label_that_names_one(labels, service):
    assert {event.service for event in told(alert(**labels))} == {service}


EXPORTED = {
    "service": "monitoring-kube-state-metrics",
    "job": "kube-state-metrics",
    "instance": "10.2.0.7:8080",
    "endpoint": "http",
    "namespace": "monitoring",
    "pod": "monitoring-kube-state-metrics-6f5d8c7b9-k2x4z",
    "container": "kube-state-metrics",
}
"""What scraping adds to a metric of the exporter that has none of them."""


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"namespace": "web", "deployment": "checkout"}, "checkout"),
        ({"namespace": "web", "statefulset": "orders-db"}, "orders-db"),
        ({"namespace": "web", "daemonset": "log-agent"}, "log-agent"),
        ({"namespace": "web", "horizontalpodautoscaler": "checkout"}, "checkout"),
        ({"namespace": "web", "job_name": "report-29384210"}, "report"),
        ({"namespace": "web", "pod": "checkout-7d9f8b6c5d-x2x9k", "container": "istio-proxy"}, "checkout"),
        ({"namespace": "web", "pod": "checkout-7d9f8b6c5d-x2x9k"}, "checkout"),
        ({"namespace": "web", "pod": "orders-db-0", "container": "postgres"}, "orders-db"),
        ({"namespace": "web", "container": "checkout"}, "checkout"),
        ({"namespace": "web", "resourcequota": "small"}, "web"),
        ({"node": "worker-a"}, "worker-a"),
        ({"service": "till", "namespace": "web", "deployment": "checkout"}, "till"),
        ({"app": "till", "namespace": "web", "deployment": "checkout"}, "till"),
    ],
)
def test_an_exporter_tells_of_the_workload_and_not_of_itself(labels, service):
    assert {event.service for event in told(alert(**EXPORTED | labels))} == {service}


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"job": "integrations/kubernetes/kube-state-metrics", "deployment": "checkout"}, "checkout"),
        ({"job": "kubelet", "namespace": "web", "pod": "checkout-7d9f8b6c5d-x2x9k"}, "checkout"),
        ({"job": "kube-state-metrics", "instance": "10.2.0.7:8080"}, "kube-state-metrics"),
        ({"job": "checkout", "pod": "other-7d9f8b6c5d-x2x9k"}, "checkout"),
        ({"job": "checkout", "service": "cadvisor"}, "cadvisor"),
        ({"job": "kubelet-checker", "service": "kubelet-checker"}, "kubelet-checker"),
        ({"service": "stack-kube-state-metrics", "namespace": "web"}, "web"),
    ],
)
def test_who_tells_of_others_is_the_exporters_job(labels, service):
    assert {event.service for event in told(alert(**{"service": None} | labels))} == {service}


@pytest.mark.parametrize("label", environments.LABELS)
def test_each_label_of_an_environment_is_read(label):
    assert {event.environment for event in told(alert(**{label: "staging"}))} == {"staging"}
    assert {event.environment for event in told(alert(**{label: "prod-eu"}))} == {"production"}


def test_the_environment_is_a_label():
    assert {event.environment for event in told(alert(env="staging"))} == {"staging"}
    assert {event.environment for event in told(alert())} == {"production"}


def test_without_a_fingerprint_the_labels_tell_alerts_apart():
    old = [{name: value for name, value in each.items() if name != "fingerprint"} for each in (alert(), alert(pod="2"))]
    one, other = told(*old)[::2]
    assert one.incident_id != other.incident_id
    assert told(old[0])[0] == one


def test_a_bad_alert_does_not_take_the_others_with_it_and_its_letter_can_be_sent_again():
    bad = alert(began="soon", pod="2")
    opened, sample, refused = told(alert(), bad)
    assert isinstance(opened, IncidentOpened)
    assert isinstance(sample, Sample)
    assert isinstance(refused, Invalid)
    assert (refused.reason, refused.detail[:19]) == (Reason.BAD_TIME, "alerts[1]: startsAt")
    assert translated(refused.body)[0].reason is Reason.BAD_TIME


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"status": "suppressed"}, Reason.BAD_VALUE, "status"),
        ({"labels": None}, Reason.MISSING_FIELD, "labels"),
        ({"labels": {"zone": "a"}}, Reason.MISSING_FIELD, "service"),
        ({"labels": {"service": 7}}, Reason.WRONG_TYPE, "labels"),
        ({"labels": {"service": "a\x1b[2J"}}, Reason.BAD_NAME, "service"),
        ({"annotations": []}, Reason.WRONG_TYPE, "annotations"),
        ({"startsAt": None}, Reason.MISSING_FIELD, "startsAt"),
        ({"startsAt": 1785743546}, Reason.WRONG_TYPE, "startsAt"),
        ({"status": "resolved"}, Reason.NEGATIVE_TIME, "endsAt"),
        ({"fingerprint": "f" * 500}, Reason.BAD_NAME, "external_id"),
    ],
)
def test_what_is_wrong_is_named(change, reason, field):
    (refused,) = told(alert() | change)
    assert refused.reason is reason
    assert field in refused.detail


def test_a_long_text_is_cut_and_a_long_address_left_out():
    long = alert() | {"annotations": {"summary": "x" * 9_000}, "generatorURL": "http://" + "x" * 9_000}
    opened, _ = told(long)
    assert (len(opened.title), opened.title[-1], opened.links) == (4_000, "…", [])


def test_another_version_is_unknown_and_no_alerts_are_refused():
    assert told(alert(), version="1")[0].reason is Reason.UNKNOWN_TYPE
    assert told()[0].reason is Reason.EMPTY
    assert told("firing")[0].reason is Reason.WRONG_TYPE
    assert told(*[{}] * (MAX_ALERTS + 1))[0].reason is Reason.TOO_LARGE
