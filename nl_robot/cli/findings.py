"""What the doctor found: one thing, how it is, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """:param state: ok, note (works, but should be known) or missing (needed)
    :param todo: what to do, a sentence; '' where nothing is to be done
    """

    name: str
    state: str
    says: str
    todo: str = ''


def ok(name: str, says: str) -> Finding:
    """All is well."""
    return Finding(name, 'ok', says)


def note(name: str, says: str, todo: str = '') -> Finding:
    """It works, but somebody should know."""
    return Finding(name, 'note', says, todo)


def missing(name: str, says: str, todo: str) -> Finding:
    """It is needed and not there."""
    return Finding(name, 'missing', says, todo)
