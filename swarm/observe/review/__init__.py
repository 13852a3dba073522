"""What a support lead asks every day: today in numbers, drafts and escalations that wait, one mail.

One module of questions behind the pages (``swarm.desk``) and the commands (``swarm.cli.review``);
neither knows SQL. Everything reads, but for one act: saying that somebody has taken an escalation
(``acknowledging``). What is returned quotes senders, subjects and texts: for the authorised person,
never for a log.
"""
