"""How things stand, for `relay status`: figures as values, ready for JSON."""
