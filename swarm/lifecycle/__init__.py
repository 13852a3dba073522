"""What becomes of a work order's data after its end: retention of scratch, erasure of a person."""
