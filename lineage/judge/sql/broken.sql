-- Which of the arrivals, in texts, break which rules? In braces: a query for each rule.
WITH judged AS MATERIALIZED (FROM arrival)
{broken}
