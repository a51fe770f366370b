"""The events: their fields, what makes one valid, and their canonical spelling."""
