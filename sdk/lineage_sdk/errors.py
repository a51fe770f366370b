"""The errors of the SDK. In a job that is not strict none of them leaves it.

SdkError
├── EventError       an event that the tracker would refuse
├── SettingsError    a setting that means nothing
└── TransportError   what was to be sent could not be; it is sent later
    └── RefusedError    the other side will never take it
"""

from __future__ import annotations


class SdkError(Exception):
    """Base of all errors of the SDK; the text is a sentence for a person."""


class EventError(SdkError):
    """An event breaks the contract. The text is the reason that the tracker gives, too."""


class SettingsError(SdkError):
    """A setting of the environment, or an argument in its place, means nothing."""


class TransportError(SdkError):
    """Events could not be sent now; they are kept, and sent later."""


class RefusedError(TransportError):
    """The other side takes such an event never, now or later."""
