"""The reusable checks: one function for each way to judge a requirement, and what plays them."""
