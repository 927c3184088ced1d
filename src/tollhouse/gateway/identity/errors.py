"""What the store of identities refuses."""

from tollhouse.errors import TollhouseError


class IdentityError(TollhouseError):
    """A key, principal, team or pepper that is unknown or cannot be used as asked."""
