"""XML of releases: read by defusedxml, since it comes from elsewhere."""

from pathlib import Path
from typing import Any

from transfer.corpora.releases.base import text_of, wrong


def root_of(path: Path, *tags: str, declared: bool = True) -> Any:
    """The root element of a file of UTF-8, which has one of ``tags``.

    Raises InputError where the file is not well-formed, not UTF-8, declares entities, or (with ``declared``)
    an encoding that is not the one it has.
    """
    import defusedxml.ElementTree as safe
    from defusedxml.common import DefusedXmlException

    text = text_of(path)
    try:
        root = safe.parse(path).getroot() if declared else safe.fromstring(text)
    except SyntaxError as error:  # what ElementTree's ParseError is
        raise wrong(path, getattr(error, "position", (None,))[0], f"not well-formed XML ({error})") from None
    except (DefusedXmlException, ValueError, LookupError) as error:  # the last: an unknown encoding
        raise wrong(path, None, f"XML that this program does not read ({error})") from None
    if root is None or root.tag not in tags:
        wanted = " or ".join(f"<{tag}>" for tag in tags)
        raise wrong(path, None, f"is not an XML {wanted}{f', but <{root.tag}>' if root is not None else ''}")
    return root


def attribute(path: Path, element: Any, name: str, *, empty: bool = False) -> str:
    """An attribute of an element. Raises InputError where it is missing, or empty although it must not be."""
    value = element.get(name)
    if value is None or not (value or empty):
        place = element.get("id") or f"<{element.tag}>"
        raise wrong(path, None, f"{place} has no attribute '{name}'")
    return value
