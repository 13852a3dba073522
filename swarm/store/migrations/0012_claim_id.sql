-- A claim's own name. When the answer to its COMMIT is lost, the program that made it knows that it
-- sent nothing; by this name it can take exactly its own claim back, and nobody else's.
ALTER TABLE publication_ledger ADD COLUMN claim_id uuid;
