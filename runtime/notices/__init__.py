"""Telling people: notices are rows before they are sent, so that no restart loses one."""
