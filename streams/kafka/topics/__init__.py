"""Names, creates and watches the topics."""
