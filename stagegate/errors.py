"""Mistakes that only the person at the keyboard can mend."""


class UserError(Exception):
    """Its text is the whole message; the command exits with code 2."""
