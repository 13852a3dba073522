-- Which runs ended in the last minutes is asked every few seconds; without it all runs were read.
CREATE INDEX workflow_runs_by_end ON workflow_runs (finished_at) WHERE finished_at IS NOT NULL;
