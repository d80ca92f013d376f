"""What is kept of sales: payouts and what belongs to each, lines of summaries."""
