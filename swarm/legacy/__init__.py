"""The path in production today: mailbox to events, events to work orders, and today's publisher.

It judges by itself and imports nothing of the new path's thinking, so that a comparison of the two
means something; ``README.md`` has the measurements behind its mail parser.
"""
