"""EDI: X12 and EDIFACT, from segments to stock documents."""
