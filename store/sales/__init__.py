"""What is kept of sales, beside the writes that they became."""
