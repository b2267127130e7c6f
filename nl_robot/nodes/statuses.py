"""Diagnostic messages from plain words, and back; needs no other message, and so little memory."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue


def diagnostic(name: str, message: str, values: Mapping[str, str], hardware_id: str = '',
               level: bytes = DiagnosticStatus.OK) -> DiagnosticStatus:
    """A diagnostic message of plain words; what cannot be sent as UTF-8 is replaced."""
    def sendable(text: str) -> str:
        return text.encode('utf-8', 'replace').decode('utf-8').replace('\0', ' ')

    return DiagnosticStatus(
        name=name, message=sendable(message), hardware_id=hardware_id, level=level,
        values=[KeyValue(key=key, value=sendable(value)) for key, value in values.items()])


def values_of(message: DiagnosticStatus) -> dict[str, str]:
    """The values of a diagnostic message by key."""
    return {item.key: item.value for item in message.values}
