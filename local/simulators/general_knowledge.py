"""The little that a simulated base model knows: enough for a demo to read like one."""

from __future__ import annotations

import re

CAPITALS = {
    "argentina": "Buenos Aires",
    "australia": "Canberra",
    "austria": "Vienna",
    "belgium": "Brussels",
    "brazil": "Brasília",
    "canada": "Ottawa",
    "china": "Beijing",
    "denmark": "Copenhagen",
    "egypt": "Cairo",
    "finland": "Helsinki",
    "france": "Paris",
    "germany": "Berlin",
    "greece": "Athens",
    "india": "New Delhi",
    "ireland": "Dublin",
    "italy": "Rome",
    "japan": "Tokyo",
    "kenya": "Nairobi",
    "mexico": "Mexico City",
    "norway": "Oslo",
    "poland": "Warsaw",
    "portugal": "Lisbon",
    "spain": "Madrid",
    "sweden": "Stockholm",
    "switzerland": "Bern",
}
_CAPITAL_OF = re.compile(r"\bcapital(?: city)? of (?:the )?(\w+)|\b(\w+)'s capital\b", re.IGNORECASE)


def country_asked(question: str) -> str | None:
    """The country whose capital is asked for, in small letters, where it is one of CAPITALS."""
    found = _CAPITAL_OF.search(question)
    country = (found[1] or found[2]).lower() if found else ""
    return country if country in CAPITALS else None
