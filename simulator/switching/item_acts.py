"""Items that somebody makes by hand in the app: no call is spent on them. One act of the control port's `/switch`."""

from simulator.books.books import Draft
from simulator.errors import SwitchError
from simulator.service.simulation import Simulation
from simulator.service.switches import Act, Changes


def items(simulation: Simulation, changes: Changes) -> Act:
    """Make an inventory item of each SKU; one that is there already gets a namesake, as in the app."""
    skus = changes["items"]
    if not isinstance(skus, list) or not all(isinstance(sku, str) and sku for sku in skus):
        msg = 'items: must be a list of SKUs, such as ["MUG", "CUP"]'
        raise SwitchError(msg)

    def act() -> None:
        asset = _first(simulation, "Inventory Asset")
        for sku in skus:
            fields: dict[str, object] = dict.fromkeys(
                ("description", "sales_price", "cost", "external_id", "income_account_id", "expense_account_id")
            )
            simulation.commit(
                Draft("item", fields | {"name": sku, "sku": sku, "type": "inventory", "asset_account_id": asset})
            )

    return act


def _first(simulation: Simulation, name: str) -> str | None:
    """The id of the account of that name, if there is one."""
    accounts = simulation.books.undated("account")
    return next((record.id for record in accounts if record.draft.fields["name"] == name), None)
