"""Bounds the sending of alerts: limits in one place, passed down."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALERT_LIMITS", "AlertLimits"]


@dataclass(frozen=True)
class AlertLimits:
    """Bounds of what is sent, and of what is waited for; the unit is in each name."""

    look_seconds: float = 0.5
    """Between two looks at whether flags have changed."""
    changes_together: int = 200
    """Changes of flags that are read from the database, and noted as sent, at a time."""
    answer_seconds_max: float = 10.0
    """For a receiver to take what it is sent."""
    retry_seconds_min: float = 1.0
    """Before the first try again; each further one waits twice as long..."""
    retry_seconds_max: float = 60.0
    """...up to this: nothing is given up."""
    resend_seconds: float = 60.0
    """Between two rounds in which Alertmanager is sent the standing flags: it forgets them when it
    is restarted."""
    standing_together: int = 500
    """Standing flags of one request."""
    standing_pause_seconds: float = 0.5
    """Between two of these, so that many standing flags hold up no recording."""
    hold_seconds: float = 24 * 3600.0
    """So long an alert stands in Alertmanager without being sent again: the worker may be down."""
    finish_seconds_max: float = 3.0
    """For what is recorded to be sent when the worker stops; the rest is sent by the next one."""


ALERT_LIMITS = AlertLimits()
