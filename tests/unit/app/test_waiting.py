"""The settings of the risk models reach the kind of label that they are for."""

from tests.unit.models.laws import START, Lane, Sent
from tests.unit.models.test_deployments_model import deployment
from vigia.app.routes import ROUTES
from vigia.app.waiting import waiting_times
from vigia.models.deployments.model import WAITING_TIMES
from vigia.settings import Settings, load

DAY = 86_400.0


def test_the_defaults_are_the_models():
    assert waiting_times(Settings()) == WAITING_TIMES


def test_each_kind_waits_as_long_as_its_setting_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load({"VIGIA_RISK_WAITING_TIME": "30d", "VIGIA_RISK_WAITING_TIME_INTERVENTION": "2d"})
    (row,) = [each for each in ROUTES if each.name == "deployments"]
    lane = Lane(row.model(settings), reload=False).run([Sent(deployment(), START)])
    waits = {name.partition(":")[0]: due - START for (kind, name), due in lane.timers.items() if kind == "clean"}
    assert waits == {"deployment": 30 * DAY, "silence-intervention": 2 * DAY}
