"""Disposition: destroying footage by a rule, with a record, in the absence of a hold."""
