"""The events: their fields, what makes one valid, and their canonical spelling.

The SDK ships the very same files, so that it refuses what the tracker refuses, in the same words:
they import each other relatively, the standard library and rfc8785, and nothing else.
"""
