"""What a person does with dead letters, pay runs and kept bodies."""
