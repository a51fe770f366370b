-- Which of the arrivals `given`, told in words, break which rules? In braces: a query for each rule.
WITH judged AS MATERIALIZED (FROM given)
{broken}
