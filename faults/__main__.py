"""`make faults EVENTS=n SEED=s`: the relay's real processes, broken at random, judged by Solid's own record.

A private broker, the receiver, two workers and Solid's stand-in run as processes of their own, with small proxies in
between; n Stripe events are posted as Stripe posts them, some twice and some out of order. Meanwhile faults come, drawn
from the seed and counted in events and records: `faults.schedule` lists every sort. Whatever ends is started again.
When all is settled the relay is stopped, and Solid's books are compared with what `faults.traffic` expects.

The last line is a JSON summary; `docs/faults.md` explains it. Exits with 0 when nothing is lost, nothing is in the
books twice, the books balance, Solid never saw more calls than it allows, and no dead letter tells of a fact that is in
the books; with 1 when not, or when something did not start; with 128 + the signal after Ctrl-C. Logs: var/faults.
"""

from faults.command import app

if __name__ == "__main__":
    app(prog_name="python -m faults")
