"""Sends notices by mail and to webhooks, to the recipients that the settings name."""
