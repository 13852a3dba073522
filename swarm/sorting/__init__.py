"""Which mails need an answer at all: decided once, by pure functions, for both paths.

A leaf on purpose: today's intake writes by it, the new path reads by it, and neither leans on the
other. What is dangerous in a mail that goes in is ``safety``'s question.
"""
