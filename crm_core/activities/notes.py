"""Notes are written in Markdown and shown as safe HTML."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_TAGS = {
    "p",
    "br",
    "strong",
    "em",
    "del",
    "ul",
    "ol",
    "li",
    "a",
    "code",
    "pre",
    "blockquote",
    "h3",
    "h4",
}
_reader = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})


def as_html(text: str) -> SafeString:
    """`text` as HTML of a few harmless tags; links open elsewhere and tell nothing of us."""
    if not text:
        return SafeString("")
    html = nh3.clean(
        _reader.render(text),
        tags=_TAGS,
        attributes={"a": {"href"}},
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto", "tel"},
    )
    return mark_safe(html)  # noqa: S308  cleaned just above
