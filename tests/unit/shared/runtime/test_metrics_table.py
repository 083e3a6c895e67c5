from __future__ import annotations

from shared.runtime import metrics


def test_every_metric_has_one_name_and_a_meaning() -> None:
    table = list(metrics.describe_metrics())

    assert len({line.name for line in table}) == len(table)
    assert all(line.name.startswith("roomsync_") and len(line.meaning) > 10 for line in table)


def test_metrics_are_exposed_under_the_names_of_the_table() -> None:
    metrics.HOOK_ITEMS.labels("microsoft", "accepted").inc(0)
    exposed = metrics.render().decode()

    assert 'roomsync_hook_items_total{outcome="accepted",provider="microsoft"}' in exposed
    assert all(f"# TYPE {line.name} " in exposed for line in metrics.describe_metrics())
    assert "_created" not in exposed
