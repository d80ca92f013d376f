"""What the viewer of a campaign sees besides lines and bars: the faults, before and while they happen."""

from collections.abc import Sequence

from faults.schedule import Fault
from staging.telling import Teller


class CampaignTeller(Teller):
    """Tells the campaign as it goes."""

    def schedule(self, faults: Sequence[Fault]) -> None:
        """The whole list, before anything happens."""
        for fault in faults:
            self.console.print(f"  {fault.number:4d}: {fault}", highlight=False, markup=False, soft_wrap=True)

    def fault(self, fault: Fault, who: str) -> None:
        """One fault begins."""
        hit = "" if who in fault.target else f" [{who}]"
        self.say(f"fault {fault.number}: {str(fault).strip()}{hit}")
