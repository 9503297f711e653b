"""Telling people of alerts: what is due, the message, the post, and what becomes of it when Slack or the warehouse is down."""
