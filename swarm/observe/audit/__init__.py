"""The audit of the promises: questions to the tables, the mailbox, the chains and the streams."""
