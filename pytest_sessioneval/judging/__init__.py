"""Prompts, replies, evidence, panel, backends and dispatch: from a session to opinions."""
