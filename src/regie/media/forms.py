"""The forms of the library."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class FileFilters(forms.Form):
    """What the library can be narrowed by; it lives in the address."""

    q = forms.CharField(
        label=_("Search"), required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    alt = forms.ChoiceField(
        label=_("Alternative text"),
        required=False,
        choices=[("", _("With or without")), ("missing", _("Missing")), ("there", _("There"))],
    )
    kind = forms.ChoiceField(
        label=_("Type"),
        required=False,
        choices=[
            ("", _("Any type")),
            ("picture", _("Pictures")),
            ("video", _("Videos")),
            ("document", _("Documents")),
            ("sound", _("Sounds")),
            ("captions", _("Subtitles")),
            ("image/jpeg", "JPEG"),
            ("image/png", "PNG"),
            ("image/webp", "WebP"),
            ("image/gif", "GIF"),
            ("image/heic", "HEIC"),
            ("video/mp4", "MP4"),
            ("video/quicktime", "MOV"),
            ("video/webm", _("WebM (video)")),
            ("application/pdf", "PDF"),
            ("audio/mpeg", "MP3"),
        ],
    )


class NameForm(forms.Form):
    """What the team calls a file."""

    name = forms.CharField(label=_("Name"), max_length=255, help_text=_("For the team; never published."))


class TitleForm(NameForm):
    """The same, and what its readers and listeners see."""

    title = forms.CharField(
        label=_("Title"),
        required=False,
        max_length=255,
        help_text=_("Shown with it where a network shows a title; the file is named after it."),
    )
    field_order = ("title", "name")


class CaptionsForm(NameForm):
    """The same, and the language of the subtitles."""

    language = forms.RegexField(
        r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$",
        label=_("Language"),
        required=False,
        max_length=12,
        help_text=_("Two letters, such as fr or en."),
    )


class DescribeForm(NameForm):
    """What a picture shows, and which point of it matters when it is cut."""

    alt = forms.CharField(
        label=_("Alternative text"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One or two sentences for people who do not see it: what it shows, and why it is there."),
    )
    focus_x = forms.FloatField(
        label=_("Point that matters, across"),
        min_value=-1,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        help_text=_("-1 is the left edge, 1 the right edge."),
    )
    focus_y = forms.FloatField(
        label=_("Point that matters, up and down"),
        min_value=-1,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        help_text=_("-1 is the bottom, 1 the top."),
    )

    field_order = ("alt", "name")


class DescribeVideoForm(DescribeForm):
    """The same, and which of its pictures stands for a video."""

    cover_at = forms.FloatField(
        label=_("Cover, seconds from the beginning"),
        required=False,
        min_value=0,
        widget=forms.NumberInput(attrs={"step": "0.1"}),
        help_text=_("The picture shown before anybody presses play, here and where a network lets us choose it."),
    )


FOR: dict[str, type[NameForm]] = {
    "picture": DescribeForm,
    "video": DescribeVideoForm,
    "document": TitleForm,
    "sound": TitleForm,
    "captions": CaptionsForm,
}
"""The form of a file, by its kind."""
