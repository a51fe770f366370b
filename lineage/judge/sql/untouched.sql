-- Which of what has arrived is not in `touched`? By way of a join of the two, whose hash table is of
-- the smaller one: what is touched can be all of history.
SELECT place
FROM given
ANTI JOIN (SELECT a.place FROM touched t JOIN given a USING (m, ds)) USING (place)
