"""XML of releases: read by defusedxml, since it comes from elsewhere."""

from pathlib import Path
from typing import Any

from transfer.corpora.releases.base import text_of, wrong


def root_of(path: Path, *tags: str) -> Any:
    """The root element of a file, which has one of ``tags``.

    Raises InputError where the file is not well-formed, not UTF-8, or declares entities.
    """
    import defusedxml.ElementTree as safe
    from defusedxml.common import DefusedXmlException

    text_of(path)
    try:
        root = safe.parse(path).getroot()
    except SyntaxError as error:  # what ElementTree's ParseError is
        raise wrong(path, getattr(error, "position", (None,))[0], f"not well-formed XML ({error})") from None
    except (DefusedXmlException, ValueError, LookupError) as error:  # the last: an unknown encoding
        raise wrong(path, None, f"XML that this program does not read ({error})") from None
    if root is None or root.tag not in tags:
        there = "" if root is None else f", but <{root.tag}>"
        raise wrong(path, None, f"is not an XML {' or '.join(f'<{tag}>' for tag in tags)}{there}")
    return root


def attribute(path: Path, element: Any, name: str, *, empty: bool = False) -> str:
    """An attribute of an element. Raises InputError where it is missing, or empty although it must not be."""
    value = element.get(name)
    if value is None or not (value or empty):
        place = element.get("id") or f"<{element.tag}>"
        raise wrong(path, None, f"{place} has no attribute '{name}'")
    return value
