"""How every form of the product is drawn: ``FORM_RENDERER = "regie.web.forms.FormRenderer"``.

``{{ form }}`` comes out as labelled, described fields with their errors beside them, and ``{{ form.name }}`` alone
carries the right classes too, so a hand-laid form looks the same. Django adds ``aria-describedby``, ``aria-invalid``.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

CHECKS = (forms.CheckboxInput,)
CHOICE_LISTS = (forms.CheckboxSelectMultiple, forms.RadioSelect)
SELECTS = (forms.Select, forms.SelectMultiple)


def widget_class(widget: forms.Widget) -> str:
    """The Tabler class a widget needs, or empty for one that has no box of its own."""
    if isinstance(widget, CHOICE_LISTS + CHECKS):
        return "form-check-input"
    if isinstance(widget, SELECTS):
        return "form-select"
    if widget.is_hidden:
        return ""
    return "form-control"


class RegieBoundField(BoundField):
    """A field that knows its classes and how it is laid out."""

    def __init__(self, form: forms.BaseForm, field: forms.Field, name: str) -> None:
        super().__init__(form, field, name)
        if field.widget.attrs.get("placeholder") == self.label:
            del field.widget.attrs["placeholder"]  # the label above says it already, and stays when one types

    @property
    def layout(self) -> str:
        """ "check" for one tick, "list" for several choices, "box" for everything else."""
        if isinstance(self.field.widget, CHOICE_LISTS):
            return "list"
        return "check" if isinstance(self.field.widget, CHECKS) else "box"

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        built: dict[str, Any] = super().build_widget_attrs(attrs, widget)
        own = str(built.get("class") or widget.attrs.get("class") or "")
        wanted = [own, widget_class(widget), "is-invalid" if self.errors and not widget.is_hidden else ""]
        if classes := " ".join(dict.fromkeys(word for part in wanted for word in part.split())):
            built["class"] = classes
        return built


class FormRenderer(TemplatesSetting):
    form_template_name = "web/forms/form.html"
    formset_template_name = "web/forms/formset.html"
    field_template_name = "web/forms/field.html"
    bound_field_class = RegieBoundField
