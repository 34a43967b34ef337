"""Texts that try to steer a judge, as data, and sessions with one of them planted."""
