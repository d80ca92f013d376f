"""What is kept of sales: payouts and what belongs to each."""
