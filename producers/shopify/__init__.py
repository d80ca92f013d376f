"""Shopify: sales and what Shopify Payments makes of them, a module a kind of object; stock is the warehouse's."""
