"""Notices as this installation sends them: by mail and to webhooks, to whom its settings name."""
