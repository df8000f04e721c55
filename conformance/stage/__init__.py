"""The stage: room, clock, network and vendor's API as interfaces, and what every stage shares."""
