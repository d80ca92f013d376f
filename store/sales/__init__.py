"""What is kept of sales beside their writes: which parts of a payment were captured."""
