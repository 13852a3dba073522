"""The numbers an operator is woken by and looks at, as Prometheus metrics. No work order is named.

What is, is read from the tables (``gauges``); what happened is read from tallies that never fall
(``tallies``); how far the files were read is measured at the files (``streams``). One reading of
everything is bounded in time (``reading``) and shared by all who ask at once (``collector``). So
every exporter on every host says the same of the database, and a restart resets nothing. What lives
elsewhere: answering over HTTP (``swarm.watchman``), rules and dashboard (``deploy/``), one moment
in full (``swarm.observe.status``). ``docs/metrics.md`` lists every metric, and a test holds it to
this package.
"""
