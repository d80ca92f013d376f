"""UBL 2.1 receipt advices and inventory reports."""
