"""The stages ``thread``, ``crm`` and ``context``: what Outlook and monday.com know, as evidence."""
