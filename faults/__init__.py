"""The fault campaign: the relay's real processes, broken at random while events flow, and judged by Solid's stand-in.

It drives and breaks from outside: commands, signals, ports, files. It must not reach into the relay, and what must be
in the books is written down in `faults.traffic`, which asks none of the relay's code.
"""
