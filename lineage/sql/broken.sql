-- Which of the arrivals `given`, in numbers, break which rules?
WITH judged AS MATERIALIZED (
{fact_text}
)
{broken}
