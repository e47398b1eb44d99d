"""Remediation: what is offered to people as a fix for a problem. Nothing acts yet; a proposal only asks."""
