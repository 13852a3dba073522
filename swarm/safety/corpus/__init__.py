"""The corpus of the learned detector, and the must-escalate set (ES-25): see README.md."""
