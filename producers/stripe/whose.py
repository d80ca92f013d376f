"""Whose books a Stripe event is for: by the account that it names, or the company's own where it names none."""

from producers.normalising import NormaliseContext, Rejected
from producers.reading.fields import Fields


def company_of(document: Fields, context: NormaliseContext) -> str:
    """Give the company of the account that an event names. Raises Rejected: the account is nobody's.

    Events of Connect name it in `account` (until 2013 in `user_id`), those of an organisation in `context`: alone, or
    at the end of a path.
    """
    for field in ("account", "context", "user_id"):
        found = document.identifier_or_none(field)
        if found is None and document.get(field):
            raise Rejected("wrong_type", "it names an account in a way that we cannot read", field=document.at(field))
        if found is not None:
            return _company(found.rpartition("/")[2], context, field=field)
    return context.company


def _company(account: str, context: NormaliseContext, *, field: str) -> str:
    if account not in context.accounts:
        message = f"no company is set for the Stripe account {account}: add it to the Stripe accounts"
        raise Rejected(f"unmapped:stripe_account:{account}", message, field=field)
    return context.accounts[account]
