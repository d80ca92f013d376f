"""Events to Solid: the consumer loop, the pipeline, the plans, and applying."""
