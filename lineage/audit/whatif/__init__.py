"""What if: the flags that a policy document would have raised, against those that stand."""
