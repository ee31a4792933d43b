"""Incoming email from its raw bytes: parsed within limits, its reports read, its dates found. Decisions are in ``domain/listening``."""
