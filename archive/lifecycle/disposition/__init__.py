"""Disposition: destroying footage by a rule, on record, where no hold covers it."""
