"""What `relay check` looks at: one module a subject, findings as values."""
