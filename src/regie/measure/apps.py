from typing import Any

from django.apps import AppConfig


class MeasureConfig(AppConfig):
    name = "regie.measure"
    label = "measure"

    def ready(self) -> None:
        from regie.accounts.signals import account_connected
        from regie.measure import known

        known.register()
        account_connected.connect(_measure_soon, dispatch_uid="measure.soon")


def _measure_soon(sender: object, account: Any, **more: Any) -> None:
    from regie.measure.services import measure_soon

    measure_soon(account)
