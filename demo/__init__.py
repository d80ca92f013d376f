"""The demonstration: real Stripe events in, balanced books out, with three failures on the way. See `demo.__main__`.

It starts the relay's own commands and Solid's stand-in, and judges by the stand-in's books. It must not reach into the
relay: what should be in the books is told by `demo.story`, which knows none of the relay's code.
"""
