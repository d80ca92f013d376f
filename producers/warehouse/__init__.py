"""Producers of stock: files and documents of warehouses, as events of `schemas.inventory`."""
