"""Events on their way out: settings, spool, sender, and how each place takes them."""
