"""The Microsoft Graph mail double: tokens, mailbox, OData subset, delta, batch. It cannot send."""
